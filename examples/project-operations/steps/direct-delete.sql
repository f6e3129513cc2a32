-- finance: a proposal deleted by hand. The guard refuses it: the invoice in Dataverse would stay confirmed.
DELETE FROM ProjInvoiceProposals WHERE DATAAREAID = 'USPM' AND INVOICEPROPOSALID = 'INV-00001';
