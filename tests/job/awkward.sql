CREATE TABLE awkward (
    id integer PRIMARY KEY,
    label text,
    raw bytea,
    moment timestamptz,
    many text[],
    document jsonb,
    amount numeric
);
INSERT INTO awkward (id, label) VALUES
    (1, NULL),
    (2, ''),
    (3, 'single '' quote, double " quote, back\slash, \N, \.'),
    (4, E'new\nline, carriage\rreturn, tab\t, bell\a'),
    (5, 'Zażółć gęślą jaźń, 漢字, 🐘, e' || U&'\0301'),
    (6, ' leading and trailing '),
    (7, 'COPY awkward FROM stdin;' || E'\n\\.\n');
INSERT INTO awkward (id, raw)
    SELECT 10, decode(string_agg(lpad(to_hex(byte), 2, '0'), '' ORDER BY byte), 'hex') FROM generate_series(0, 255) AS byte;
INSERT INTO awkward (id, raw) VALUES (11, ''::bytea);
INSERT INTO awkward (id, moment) VALUES (20, 'infinity'), (21, '-infinity'), (22, '0044-03-15 12:00:00+00 BC');
INSERT INTO awkward (id, many) VALUES (30, ARRAY['a,b', '{c}', NULL, '"', '']);
INSERT INTO awkward (id, document) VALUES (31, '{"deep": [1, {"null": null}, "\u00e9"]}');
INSERT INTO awkward (id, amount) VALUES (40, 'NaN'), (41, 1e-100), (42, 12345678901234567890.12345678901234567890);
-- values that do not compress and are far larger than any buffer on the way
INSERT INTO awkward (id, label)
    SELECT 50 + n, (SELECT string_agg(md5(n::text || m::text), '') FROM generate_series(1, 100000) AS m) FROM generate_series(0, 2) AS n;
INSERT INTO awkward (id, raw)
    SELECT 60, decode((SELECT string_agg(md5(m::text), '') FROM generate_series(1, 200000) AS m), 'hex');
CREATE INDEX awkward_label ON awkward (md5(label));
CREATE VIEW awkward_view AS SELECT id, label FROM awkward WHERE label IS NOT NULL;
