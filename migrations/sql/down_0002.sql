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

-- As 0001 has it.
grant create on schema clearance to clearance_identity;
set local role clearance_identity;
create or replace function clearance.visible_scopes() returns int[]
language sql stable parallel safe security definer set search_path = '' as $$
  with recursive me as (
    select u.id, u.clearance from public.app_user u where u.id = clearance.caller()
  ), my_roles as (
    select m.role_id from public.membership m join me on me.id = m.user_id
    union
    select i.inside_id from public.role_inside i join my_roles r on r.role_id = i.role_id
  ), principals as (
    select 'everyone' as kind, '00000000-0000-0000-0000-000000000000'::uuid as id from me
    union all select 'user', me.id from me
    union all select 'role', r.role_id from my_roles r
  ), hits as (
    select g.rule_id, bool_or(g.effect = 'allow') as allowed, bool_or(g.effect = 'deny') as denied
    from public.rule_grant g
    join principals p on p.kind = g.principal_kind and p.id = g.principal_id
    where (g.starts_at is null or g.starts_at <= now()) and (g.ends_at is null or now() < g.ends_at)
    group by g.rule_id
  )
  select coalesce(array_agg(s.id order by s.id), '{}')
  from hits h
  join public.rule r on r.id = h.rule_id
  join public.scope s on s.rule_id = h.rule_id
  where h.allowed and not h.denied and r.label <= (select me.clearance from me)
$$;
reset role;
revoke create on schema clearance from clearance_identity;
