"""Every single I/O of the workload failing in every way, and the power cut at a thousand more moments."""

from tests.faults.test_batch_faults import failing_ios_give_no_false_permit, lost
from tests.kit.crash import settled


def test_every_failing_io_gives_no_false_permit(tmp_path):
    assert failing_ios_give_no_false_permit(tmp_path, step=1) > 1000


def test_power_loss_at_many_more_moments_loses_nothing(tmp_path):
    start = settled(tmp_path / "start")
    assert {seed: bad for seed in range(70, 1200) if (bad := lost(start, seed, tmp_path))} == {}
