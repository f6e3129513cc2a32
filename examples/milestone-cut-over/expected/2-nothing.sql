-- Wrong milestones: confirmation in Dataverse changed nothing here.
SELECT TRANSACTIONID, TRANSSTATUS FROM ProjContractLineMilestones
EXCEPT
SELECT * FROM (VALUES
  ('7d000000-0000-4000-8000-000000000001', 4),
  ('7d000000-0000-4000-8000-000000000002', 4),
  ('7d000000-0000-4000-8000-000000000003', 0));

-- Missing ones.
SELECT 'milestones', count(*) FROM ProjContractLineMilestones HAVING count(*) <> 3;

-- What reached accounting and should not.
SELECT 'proposal', INVOICEPROPOSALID FROM ProjInvoiceProposals;
SELECT 'staging', ACTUALSIMPORTID FROM ProjActualsImports;
