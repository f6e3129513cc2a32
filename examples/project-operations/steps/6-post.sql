-- finance: the accountant posts every open proposal that has lines. Posting takes the rate to the company's accounting
-- currency, gives number and voucher, and works out amount and tax of each line in accounting currency, to the cent.
BEGIN;

UPDATE ProjInvoiceProposals SET
  PROPOSALSTATUS = 2,
  INVOICE = replace(INVOICEPROPOSALID, 'INV-', 'FTI-'),
  LEDGERVOUCHER = replace(INVOICEPROPOSALID, 'INV-', 'PRJ'),
  EXCHANGERATE = (SELECT r.RATE FROM ExchangeRates r JOIN LegalEntities e ON e.ACCOUNTINGCURRENCY = r.TOCURRENCY
    WHERE e.LEGALENTITYID = ProjInvoiceProposals.DATAAREAID AND r.FROMCURRENCY = ProjInvoiceProposals.SALESCURRENCY)
WHERE PROPOSALSTATUS = 0
  AND EXISTS (SELECT 1 FROM ProjInvoiceProposalLines l
    WHERE l.DATAAREAID = ProjInvoiceProposals.DATAAREAID AND l.INVOICEPROPOSALID = ProjInvoiceProposals.INVOICEPROPOSALID);

-- Sales tax: 8.25 % in USPM, 6 % in USSI, 20 % in GBSI. Cents and ten-thousandths are whole numbers, so nothing is
-- left to binary fractions.
WITH line AS (
  SELECT l.DATAAREAID, l.ACTUALSIMPORTID,
    (CAST(round(l.LINEAMOUNT * 100.0) AS INTEGER) * CAST(round(p.EXCHANGERATE * 10000.0) AS INTEGER) + 5000) / 10000 AS cents,
    CASE l.DATAAREAID WHEN 'USPM' THEN 825 WHEN 'USSI' THEN 600 ELSE 2000 END AS rate
  FROM ProjInvoiceProposalLines l
  JOIN ProjInvoiceProposals p ON p.DATAAREAID = l.DATAAREAID AND p.INVOICEPROPOSALID = l.INVOICEPROPOSALID
  WHERE p.PROPOSALSTATUS = 2 AND l.LINEAMOUNTMST IS NULL)
UPDATE ProjInvoiceProposalLines SET
  (LINEAMOUNTMST, TAXAMOUNTMST) = (
    SELECT printf('%d.%02d', cents / 100, cents % 100),
      printf('%d.%02d', (cents * rate + 5000) / 10000 / 100, (cents * rate + 5000) / 10000 % 100)
    FROM line
    WHERE line.DATAAREAID = ProjInvoiceProposalLines.DATAAREAID AND line.ACTUALSIMPORTID = ProjInvoiceProposalLines.ACTUALSIMPORTID)
WHERE LINEAMOUNTMST IS NULL
  AND (DATAAREAID, ACTUALSIMPORTID) IN (SELECT DATAAREAID, ACTUALSIMPORTID FROM line);

COMMIT;
