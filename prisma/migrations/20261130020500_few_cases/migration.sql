-- Rows that 0.1.0 wrote hold intervals that are none. `cxr-lens register` writes the right ones from the run folders.

-- Under ten images of a class an AUC has no interval, nor has a mean that it is in.
UPDATE "AucResult"
SET "low" = NULL, "high" = NULL, "bootstrapLow" = NULL, "bootstrapHigh" = NULL, "reason" = 'few cases'
WHERE LEAST("positives", "negatives") BETWEEN 1 AND 9;

UPDATE "Evaluation"
SET "meanAucLow" = NULL, "meanAucHigh" = NULL
WHERE EXISTS (
  SELECT 1 FROM "AucResult"
  WHERE "AucResult"."evaluationId" = "Evaluation"."id" AND LEAST("positives", "negatives") BETWEEN 1 AND 9
);

-- Where few pairs hit or few miss, Wilson's interval takes the place of the bootstrap's. It needs the pairs, which only the files hold.
UPDATE "LocalizationPoint"
SET "low" = NULL, "high" = NULL
FROM "LocalizationCurve"
WHERE "LocalizationCurve"."id" = "LocalizationPoint"."curveId"
  AND ("high" <= "low" OR "accuracy" * "pairs" < 5 OR (1 - "accuracy") * "pairs" < 5);

UPDATE "LocalizationPoint" SET "iobbLow" = NULL, "iobbHigh" = NULL WHERE "iobbHigh" <= "iobbLow";
