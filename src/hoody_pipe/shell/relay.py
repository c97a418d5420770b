"""Requests in, events to the core, the core's actions back out: the one place where both meet."""

import hashlib
import logging
import time
from typing import cast

from hoody_pipe import __version__
from hoody_pipe.config import Config
from hoody_pipe.core.admission import Page, Preflight, Receive, Send, admit
from hoody_pipe.core.pipe import (
    Action,
    Arm,
    Break,
    EndClean,
    Event,
    PartyLeft,
    ReceiverArrived,
    Refuse,
    SenderArrived,
    StartMove,
    StopMove,
    Tell,
)
from hoody_pipe.core.rendezvous import Rendezvous
from hoody_pipe.errors import Refusal, Refused
from hoody_pipe.pages import reserved
from hoody_pipe.plane.kpipe import PipePool
from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.shell.parties import Party, Receiver, Sender
from hoody_pipe.shell.poller import Poller
from hoody_pipe.shell.transfer import Transfer
from hoody_pipe.wire import response
from hoody_pipe.wire.head import RequestHead
