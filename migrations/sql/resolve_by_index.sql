-- Who sees what, by one plain scan of an index: the three kinds of principals alone take bitmaps, and in a transaction that
-- goes without them the grants of everybody else would be read. Run by clearance_owner after 0007.

grant create on schema clearance to clearance_identity;
set local role clearance_identity;
create or replace function clearance.resolve_scopes() returns int[]
language plpgsql stable parallel safe security definer set search_path = '' as $$
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
