-- Every rule holds its own grants again, and has its former digest.

-- Who sees what, as before.
grant create on schema clearance to clearance_identity;
set local role clearance_identity;
create or replace function clearance.resolve_scopes() returns int[]
language plpgsql stable parallel restricted security definer set search_path = '' as $$
declare
  my_id uuid;
  my_clearance smallint;
  my_roles uuid[];
begin
  select u.id, u.clearance into my_id, my_clearance from public.app_user u where u.id = (select clearance.caller());
  if not found then
    return '{}';
  end if;
  my_roles := array(
    with recursive held as (
      select m.role_id from public.membership m where m.user_id = my_id
      union
      select i.inside_id from public.role_inside i join held r on r.role_id = i.role_id
    )
    select h.role_id from held h
  );
  return array(
    with hits as (
      select g.rule_id, bool_or(g.effect = 'allow') as allowed, bool_or(g.effect = 'deny') as denied
      from public.rule_grant g
      where g.principal_kind = any ('{everyone,user,role}')
        and g.principal_id = any (my_roles || my_id || '00000000-0000-0000-0000-000000000000'::uuid)
        and (g.principal_kind = 'everyone' and g.principal_id = '00000000-0000-0000-0000-000000000000'
          or g.principal_kind = 'user' and g.principal_id = my_id
          or g.principal_kind = 'role' and g.principal_id = any (my_roles))
        and (g.starts_at is null or g.starts_at <= now()) and (g.ends_at is null or now() < g.ends_at)
      group by g.rule_id
    )
    select s.id
    from hits h
    join public.rule r on r.id = h.rule_id
    join public.scope s on s.rule_id = h.rule_id
    where h.allowed and not h.denied and r.label <= my_clearance
    order by s.id
  );
end $$;
reset role;
revoke create on schema clearance from clearance_identity;

-- The grants of the parts are written under each rule.
insert into rule_grant (rule_id, ordinal, effect, principal_kind, principal_id, starts_at, ends_at)
select r.id, row_number() over (partition by r.id) - 1, g.effect, g.principal_kind, g.principal_id, g.starts_at, g.ends_at
from rule r cross join lateral (
  select distinct p.effect, p.principal_kind, p.principal_id, p.starts_at, p.ends_at
  from rule_grant p where p.rule_id in (r.own_id, r.above_id)
) as g
where r.own_id is not null or r.above_id is not null;

-- The parts go: no scope points to one, and as rules some would be equal to others.
alter table scope drop column own_label, drop column own_inherits, drop column own_part_id;
alter table rule drop column above_id, drop column own_id;
delete from rule where grant_digests is not null;
alter table rule drop column grant_digests;
alter table rule_grant drop column inherited;

create function clearance.grants_text(rule int) returns text
language sql stable set search_path = '' as $$
  select coalesce(string_agg(t.value, ',' order by t.value collate "C"), '')
  from (
    select format('{"effect":"%s","ends_at":%s,"kind":"%s","principal":"%s","starts_at":%s}', g.effect,
      coalesce(to_char(g.ends_at at time zone 'UTC', '\"YYYY-MM-DD"T"HH24:MI:SS.US"+00:00\""'), 'null'),
      g.principal_kind, g.principal_id,
      coalesce(to_char(g.starts_at at time zone 'UTC', '\"YYYY-MM-DD"T"HH24:MI:SS.US"+00:00\""'), 'null')) as value
    from public.rule_grant g where g.rule_id = grants_text.rule
  ) as t
$$;
update rule set digest = sha256(convert_to(format('{"grants":[%s],"label":"%s"}', clearance.grants_text(id),
  (array['public', 'internal', 'confidential', 'restricted'])[label + 1]), 'UTF8')) where label >= 0;
drop function clearance.grants_text(int);

drop trigger history_of_changes on scope;
drop function clearance.keep_scopes();
create trigger history_of_changes after update of rule_id on scope for each row
  when (old.rule_id <> new.rule_id) execute function clearance.keep_scope();
drop trigger history_of_changes on document;
drop function clearance.keep_documents();
create trigger history_of_changes after update of scope_id on document for each row
  when (old.scope_id <> new.scope_id) execute function clearance.keep_document();

drop function clearance.replace_scopes(int[], int[], uuid);
-- Moves those documents and uploads from one scope to another one of the same collection; gives the number of documents.
create function clearance.replace_scope(old_scope int, new_scope int, leaving uuid) returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  shelf uuid;
  target uuid;
  moved bigint;
begin
  select o.collection_id, n.folder_id into shelf, target from public.scope o
    join public.scope n on n.collection_id = o.collection_id
    where o.id = old_scope and n.id = new_scope and clearance.may_rule(o.collection_id);
  if not found then raise insufficient_privilege using message = 'these scopes are not yours to change'; end if;
  -- Uploads first, as the worker does it: a document that it writes beside us is then seen by the second statement.
  update public.ingest_job j set scope_id = new_scope
    where j.scope_id = old_scope and clearance.nearest_folder(shelf, j.path, leaving) is not distinct from target;
  update public.document d set scope_id = new_scope
    where d.scope_id = old_scope and clearance.nearest_folder(shelf, d.path, leaving) is not distinct from target;
  get diagnostics moved = row_count;
  return moved;
end $$;

revoke execute on function clearance.replace_scope(int, int, uuid) from public;
grant execute on function clearance.replace_scope(int, int, uuid) to clearance_app;

create or replace function clearance.documents_by_rule(collections uuid[]) returns table (rule_id int, documents bigint[])
language sql stable security definer set search_path = '' as $$
  select s.rule_id, array_agg(d.id)
  from public.document d join public.scope s on s.id = d.scope_id
  where d.collection_id = any (collections)
    and (clearance.caller_may('administer') or d.collection_id = any (clearance.curated()))
  group by s.rule_id
$$;

