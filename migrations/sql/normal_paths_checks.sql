-- After every path was brought into its normal form.
alter table folder drop constraint folder_path_check;
alter table folder add constraint folder_path_check check (clearance.is_normal_path(path));
alter table document add constraint document_path_check check (clearance.is_normal_path(path));
alter table ingest_job add constraint ingest_job_path_check check (clearance.is_normal_path(path));
