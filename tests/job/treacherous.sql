-- small, with everything that could make a part of a dump look like a whole one
CREATE TABLE words (word text);
INSERT INTO words VALUES
    ('COMMIT;'), ('\.'), (E'\\.\nCOMMIT;\n'), ('-- PostgreSQL database dump complete'), ('BEGIN;'), ('RESTORED');
INSERT INTO words SELECT md5(n::text) FROM generate_series(1, 3000) AS n;
CREATE TABLE accounts (id serial PRIMARY KEY, owner text NOT NULL, balance numeric CHECK (balance >= 0));
INSERT INTO accounts (owner, balance) SELECT md5(n::text), n FROM generate_series(1, 1500) AS n;
CREATE TABLE bookings (account integer REFERENCES accounts, amount numeric);
INSERT INTO bookings SELECT n, n FROM generate_series(1, 1500) AS n;
CREATE INDEX bookings_by_account ON bookings (account);
CREATE VIEW rich AS SELECT * FROM accounts WHERE balance > 1000;
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEW;
END;
$$;
CREATE PROCEDURE settle() LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM bookings WHERE amount = 0;
    COMMIT;
END;
$$;
CREATE TRIGGER audited BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION audit();
SELECT lo_from_bytea(0, decode(repeat(md5('large'), 3000), 'hex'));
