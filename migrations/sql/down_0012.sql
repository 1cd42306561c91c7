-- The paths stay as they are: what they were before is not kept.
alter table ingest_job drop constraint ingest_job_path_check;
alter table document drop constraint document_path_check;
alter table folder drop constraint folder_path_check;
alter table folder add constraint folder_path_check check (path ~ '^[^/]+(/[^/]+)*$');
drop function clearance.move_documents(uuid, bigint[], text[], int[]);
drop function clearance.awaited(uuid, text[]);
drop function clearance.documents_below(uuid, text);
drop function clearance.is_normal_path(text);
