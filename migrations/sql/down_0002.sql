-- Undoes access_model.sql and history.sql.

do $$
declare t text;
begin
  if exists (select 1 from folder) then
    raise exception 'folders have rules of their own: drop these first, or documents would come under another rule';
  end if;
  foreach t in array array['app_user', 'membership', 'role_inside', 'scope', 'document'] loop
    execute format('drop trigger history on %I', t);
    execute format('drop trigger if exists history_of_changes on %I', t);
  end loop;
end $$;
drop function clearance.keep_user(), clearance.keep_membership(), clearance.keep_nesting(), clearance.keep_scope(),
  clearance.keep_document();
drop table user_history, membership_history, nesting_history, scope_history, document_history;
drop policy stewards_add on membership;
drop policy stewards_drop on membership;
alter table scope drop constraint scope_collection_id_folder_id_own_digest_key;
alter table scope drop constraint scope_folder_id_fkey;
alter table scope drop column folder_id;
alter table scope add constraint scope_collection_id_own_digest_key unique (collection_id, own_digest);
drop table access_plan, steward, folder;
drop function clearance.stewarded(), clearance.may_rule(uuid), clearance.hold_epoch(), clearance.documents_by_rule(uuid[]),
  clearance.nearest_folder(uuid, text, uuid), clearance.misplaced(uuid, uuid), clearance.replace_scope(int, int, uuid),
  clearance.collect_scopes(interval);
