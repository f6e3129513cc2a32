-- finance: the accountant posts every open proposal that has lines. The same as ../project-operations/steps/6-post.sql,
-- in PostgreSQL's words.
BEGIN;

UPDATE projinvoiceproposals AS p SET
  proposalstatus = 2,
  invoice = replace(invoiceproposalid, 'INV-', 'FTI-'),
  ledgervoucher = replace(invoiceproposalid, 'INV-', 'PRJ'),
  exchangerate = (SELECT r.rate FROM exchangerates r JOIN legalentities e ON e.accountingcurrency = r.tocurrency
    WHERE e.legalentityid = p.dataareaid AND r.fromcurrency = p.salescurrency)
WHERE proposalstatus = 0
  AND EXISTS (SELECT 1 FROM projinvoiceproposallines l
    WHERE l.dataareaid = p.dataareaid AND l.invoiceproposalid = p.invoiceproposalid);

-- Sales tax: 8.25 % in USPM, 6 % in USSI, 20 % in GBSI. To the cent, half a cent up, as whole numbers.
WITH line AS (
  SELECT l.dataareaid, l.actualsimportid,
    div(round(l.lineamount * 100) * round(p.exchangerate * 10000) + 5000, 10000) AS cents,
    CASE l.dataareaid WHEN 'USPM' THEN 825 WHEN 'USSI' THEN 600 ELSE 2000 END AS rate
  FROM projinvoiceproposallines l
  JOIN projinvoiceproposals p ON p.dataareaid = l.dataareaid AND p.invoiceproposalid = l.invoiceproposalid
  WHERE p.proposalstatus = 2 AND l.lineamountmst IS NULL)
UPDATE projinvoiceproposallines AS t SET lineamountmst = cents / 100, taxamountmst = div(cents * rate + 5000, 10000) / 100
FROM line WHERE line.dataareaid = t.dataareaid AND line.actualsimportid = t.actualsimportid;

COMMIT;
