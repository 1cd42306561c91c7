drop trigger add_volume on vector_row;
drop trigger take_volume on vector_row;
drop trigger move_volume on vector_row;
drop trigger note_change on vector_row;
drop policy readers on vector_row;
create policy readers on vector_row for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
drop policy search_reads on vector_row;
revoke all (chunk_id, scope_id, code, changed) on vector_row from clearance_search;
revoke usage on schema public from clearance_search;
drop table scope_volume;
drop function clearance.add_volume(), clearance.take_volume(), clearance.move_volume(), clearance.note_change(),
  clearance.fold_volumes();
alter table vector_row drop column code, drop column changed;
