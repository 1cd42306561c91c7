-- What documents and collections were called, from when on: records of the log have them by id alone. A name holds until
-- the next one. These rows go with what they are of: of what is gone, nobody can be asked whether they could read it.

create table path_history (
  document uuid not null, path text collate "C" not null,
  valid_from timestamptz not null, id bigint generated always as identity,
  constraint path_history_pkey primary key (id),
  constraint path_history_document_fkey foreign key (document) references document (public_id) on delete cascade
);
create table title_history (
  document uuid not null, title text not null,
  valid_from timestamptz not null, id bigint generated always as identity,
  constraint title_history_pkey primary key (id),
  constraint title_history_document_fkey foreign key (document) references document (public_id) on delete cascade
);
create table collection_name_history (
  collection_id uuid not null, name text not null,
  valid_from timestamptz not null, id bigint generated always as identity,
  constraint collection_name_history_pkey primary key (id),
  constraint collection_name_history_collection_id_fkey foreign key (collection_id) references collection (id)
    on delete cascade
);
create index path_history_document_id_idx on path_history (document, id);
create index title_history_document_id_idx on title_history (document, id);
create index collection_name_history_collection_id_idx on collection_name_history (collection_id);

create function clearance.keep_collection_name() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.collection_name_history (collection_id, name, valid_from)
    values (new.id, new.name, clock_timestamp());
  return null;
end $$;
create trigger history_of_names after insert on collection
  for each row execute function clearance.keep_collection_name();
create trigger history_of_new_names after update of name on collection for each row
  when (old.name is distinct from new.name) execute function clearance.keep_collection_name();

-- Row by row also where a folder moves: of thousands that change their scope alone, none costs anything.
create function clearance.keep_path() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.path_history (document, path, valid_from) values (new.public_id, new.path, clock_timestamp());
  return null;
end $$;
create trigger history_of_paths after insert on document for each row execute function clearance.keep_path();
create trigger history_of_new_paths after update of path on document for each row
  when (old.path is distinct from new.path) execute function clearance.keep_path();

-- A version replaces the row of the one before, mostly under the same title, which then goes on.
create function clearance.keep_title() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  called uuid := (select d.public_id from public.document d where d.id = new.document_id);
  last text := (select h.title from public.title_history h where h.document = called order by h.id desc limit 1);
begin
  if new.title is distinct from last then
    insert into public.title_history (document, title, valid_from) values (called, new.title, clock_timestamp());
  end if;
  return null;
end $$;
create trigger history_of_titles after insert or update of title on original
  for each row execute function clearance.keep_title();

-- Documents: asked of the tables themselves, whose own policies answer for the caller. What these hide is hidden here,
-- whatever becomes of them, and an auditor has no other right. With OFFSET each row is asked for by itself: without it the
-- planner reads all documents there are, hidden ones too, to answer for a page of records. The table of collections is
-- open to every service; their names of then are for whom lists show a collection to: who reads in it, curates it or
-- administers. Triggers write, and nobody else.
create policy readers on path_history for select to clearance_app
  using (exists (select from document d where d.public_id = path_history.document offset 0));
create policy readers on title_history for select to clearance_app
  using (exists (select from document d join original o on o.document_id = d.id
                 where d.public_id = title_history.document offset 0));
create policy readers on collection_name_history for select to clearance_app
  using (exists (select from scope s where s.collection_id = collection_name_history.collection_id
                   and s.id = any ((select clearance.visible_scopes())::int[]))
      or collection_id = any ((select clearance.curated())::uuid[])
      or (select clearance.caller_may('administer')));
grant select on path_history, title_history, collection_name_history to clearance_app;
