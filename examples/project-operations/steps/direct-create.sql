-- finance: a proposal typed in by hand. The guard refuses it: proposals come from confirmed invoices.
INSERT INTO ProjInvoiceProposals (DATAAREAID, INVOICEPROPOSALID, PROJECTCONTRACTID, INVOICEACCOUNT, DESCRIPTION, SALESCURRENCY, PROPOSALSTATUS)
VALUES ('USPM', 'BY-HAND-1', 'CON-0001', 'C-0001', 'Typed in by hand', 'USD', 0);
