-- Wrong milestones: the old ones as they were, the new one open.
SELECT TRANSACTIONID, TRANSSTATUS FROM ProjContractLineMilestones
EXCEPT
SELECT * FROM (VALUES
  ('7d000000-0000-4000-8000-000000000001', 4),
  ('7d000000-0000-4000-8000-000000000002', 4),
  ('7d000000-0000-4000-8000-000000000003', 0),
  ('7d000000-0000-4000-8000-000000000004', 0));
SELECT 'milestones', count(*) FROM ProjContractLineMilestones HAVING count(*) <> 4;

-- Other than the one new proposal, and its one row in staging.
SELECT 'proposal', INVOICEPROPOSALID FROM ProjInvoiceProposals WHERE INVOICEPROPOSALID <> 'INV-NEW';
SELECT 'proposals', count(*) FROM ProjInvoiceProposals HAVING count(*) <> 1;
SELECT 'staging', INVOICEPROPOSALID, AMOUNT FROM ProjActualsImports
WHERE INVOICEPROPOSALID <> 'INV-NEW' OR CAST(AMOUNT AS REAL) <> 200000;
SELECT 'staged', count(*) FROM ProjActualsImports HAVING count(*) <> 1;
