import json
import unittest

from benchmark import plan
from benchmark.plan import Append, CatchUp, Ceiling, Failover, Idle, Local, Silence, Tail


class PlanTests(unittest.TestCase):
    def test_every_work_survives_being_written(self):
        for the_plan in (plan.full(), plan.quick()):
            for work in (*the_plan.works, the_plan.failover, the_plan.silence, the_plan.catch_up):
                self.assertEqual(plan.decode(json.loads(json.dumps(plan.encode(work)))), work)

    def test_a_full_run_has_what_was_asked_for(self):
        full = plan.full()
        singles = {(work.clients, work.size) for work in full.works
                   if isinstance(work, Append) and work.in_flight == work.batch == 1}
        self.assertEqual(singles, {(clients, size) for clients in (1, 16, 64, 256) for size in (100, 1024)})
        self.assertGreaterEqual(full.rounds, 5)
        self.assertEqual((full.kills, full.failover.timeout_ms, full.catch_up.byte_count), (20, 100, 1 << 30))

    def test_a_work_is_given_only_to_systems_that_can_do_it(self):
        self.assertEqual(plan.systems_of(Append(1, 100), plan.SYSTEMS), plan.SYSTEMS)
        self.assertNotIn("nats", plan.systems_of(Append(1, 100, batch=100), plan.SYSTEMS))
        self.assertNotIn("postgresql", plan.systems_of(Append(1, 100, in_flight=256), plan.SYSTEMS))
        for work in (Tail(1_000), Failover(), Silence()):
            self.assertEqual(plan.systems_of(work, plan.SYSTEMS), ("holdfast", "etcd", "nats"))
        self.assertEqual(plan.systems_of(Local(1), plan.SYSTEMS), ("holdfast",))
        self.assertEqual(plan.systems_of(Idle(), ("etcd",)), ("etcd",))

    def test_a_ceiling_is_given_to_the_systems_whose_appends_it_bounds(self):
        for ceiling in (Ceiling(1, 100, in_flight=256), Ceiling(16, 100, batch=100), Ceiling(64, 1024)):
            self.assertEqual(plan.systems_of(ceiling, plan.SYSTEMS), plan.systems_of(ceiling.append, plan.SYSTEMS))
        self.assertEqual(Ceiling(16, 100, batch=100).append, Append(16, 100, batch=100))

    def test_whatever_is_pipelined_or_batched_has_a_ceiling(self):
        full = plan.full().works
        ceilings = [work.append for work in full if isinstance(work, Ceiling)]
        for work in full:
            if isinstance(work, Append) and (work.in_flight > 1 or work.batch > 1):
                self.assertIn(work, ceilings)
        self.assertIn(1024, {work.size for work in ceilings})
        self.assertIn(Ceiling(1, 100, in_flight=256), plan.quick().works)

    def test_a_smoke_run_has_every_kind_of_cell_once(self):
        smoke = plan.quick().scaled_down()
        self.assertEqual({type(work) for work in smoke.works}, {type(work) for work in plan.full().works})
        self.assertEqual((smoke.rounds, smoke.kills, smoke.silences, smoke.catch_up_rounds), (1, 1, 1, 1))

    def test_connections_are_shared_from_64_on(self):
        self.assertEqual([Append(clients, 100).connections for clients in (1, 64, 256)], [1, 64, 64])

    def test_titles_say_what_differs(self):
        self.assertEqual(Append(1, 100).title, "1 client, 100 B")
        self.assertEqual(Append(16, 1024, batch=100).title, "16 clients, batches of 100, 1 KiB")
        self.assertEqual(CatchUp(1 << 30).title, "a follower 1 GiB behind")


if __name__ == "__main__":
    unittest.main()
