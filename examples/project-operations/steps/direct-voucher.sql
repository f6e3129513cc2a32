-- dataverse: a voucher number typed into an actual. The guard refuses it: only what posting found out may stand there.
UPDATE msdyn_actuals SET msdyn_vouchernumber = 'BY-HAND-1' WHERE msdyn_actualid = 'ba000000-0000-4000-8000-000000002711';
