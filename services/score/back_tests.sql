-- name: claim_back_test
-- The oldest that nobody works on, with the home of its person and who else lives there.
select b.*, p.home_no, array(select person_no from people where people.home_no = p.home_no) as people
from back_tests b join people p using (person_no)
where b.done_at is null order by b.asked_at limit 1
for no key update of b skip locked;

-- name: say_progress
-- So much of it is done.
insert into back_test_progress (back_test_id, share) values ($1, $2)
on conflict (back_test_id) do update set share = excluded.share;

-- name: end_back_test
-- What came of it: a result, or why there is none.
update back_tests set done_at = $2, result = $3, failed = $4 where back_test_id = $1;
