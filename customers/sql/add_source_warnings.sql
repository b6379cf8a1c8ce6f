-- Add the warnings of a batch to those of its source and day. The codes have one order, so that
-- two batches cannot wait for each other in a circle.
--
-- warnings   json  [{code, count, example}], each code once
-- source_id  int   the source of the batch
-- day        date  the day in the company's time zone

INSERT INTO customers_sourcewarning AS stored (source_id, day, code, count, example)
SELECT %(source_id)s, %(day)s, code, count, example
  FROM json_to_recordset(%(warnings)s::json) AS warning (code text, count bigint, example text)
 ORDER BY code
    ON CONFLICT (source_id, day, code) DO UPDATE
   SET count = stored.count + excluded.count, example = excluded.example
