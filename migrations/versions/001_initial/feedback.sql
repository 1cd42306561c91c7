-- What askers say of an answer, for the curators of the collections in which its documents lie: what, when and of which
-- documents; never who, and the question alone where its asker shares it.

create table answer_feedback (
  id uuid default gen_random_uuid() not null,
  user_id uuid not null,
  trail uuid not null,
  block integer not null,
  helpful boolean not null,
  reason text,
  words text,
  at timestamptz default clock_timestamp() not null,
  constraint answer_feedback_pkey primary key (id),
  constraint answer_feedback_id_user_id_key unique (id, user_id),
  constraint answer_feedback_trail_block_key unique (user_id, trail, block),
  constraint answer_feedback_block_check check (block >= 0),
  constraint answer_feedback_reason_check check (reason in ('wrong', 'incomplete', 'outdated', 'unclear', 'hidden')),
  constraint answer_feedback_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade
);
create index answer_feedback_at_idx on answer_feedback (at, id);

create table answer_feedback_source (
  feedback_id uuid not null,
  document_id bigint not null,
  scope_id integer not null,
  user_id uuid not null,
  constraint answer_feedback_source_pkey primary key (feedback_id, document_id),
  constraint answer_feedback_source_feedback_id_fkey foreign key (feedback_id, user_id)
    references answer_feedback (id, user_id) on delete cascade,
  constraint answer_feedback_source_document_id_fkey foreign key (document_id, scope_id)
    references document (id, scope_id) on delete cascade on update cascade
);
create index answer_feedback_source_document_id_idx on answer_feedback_source (document_id);
create index answer_feedback_source_scope_id_idx on answer_feedback_source (scope_id);

-- An asker adds their own, of documents that they may read, and takes it back to say something else.
create policy askers_add on answer_feedback for insert to clearance_app
  with check (user_id = (select clearance.caller()));
create policy askers_drop on answer_feedback for delete to clearance_app using (user_id = (select clearance.caller()));
create policy askers_add on answer_feedback_source for insert to clearance_app
  with check (user_id = (select clearance.caller()) and scope_id = any ((select clearance.visible_scopes())::int[]));
create policy curators_read on answer_feedback_source for select to clearance_app
  using (scope_id in (select s.id from scope s where s.collection_id = any ((select clearance.curated())::uuid[])));
-- The inner query runs under the policy above.
create policy readers on answer_feedback for select to clearance_app
  using (user_id = (select clearance.caller())
      or exists (select 1 from answer_feedback_source s where s.feedback_id = answer_feedback.id));
-- Who said it is no column that the service could read.
grant select (id, trail, block, helpful, reason, words, at), insert, delete on answer_feedback to clearance_app;
grant select (feedback_id, document_id, scope_id), insert on answer_feedback_source to clearance_app;
