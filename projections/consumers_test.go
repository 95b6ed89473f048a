package projections_test

import (
	"errors"
	"testing"

	"waybill/events"
	"waybill/events/consume"
	"waybill/events/fault"
	"waybill/projections"
)

func TestAPausedConsumerCommitsNothingUntilItIsResumed(t *testing.T) {
	t.Parallel()
	pools := open(t)
	log := newLog(t, pools, "p")
	if err := unit(log, "a").Commit(t.Context(), events.Position{}, at(10)); err != nil {
		t.Fatal(err)
	}
	if err := projections.Resume(t.Context(), pools.Projector, "p", "me"); !fault.Is(err, fault.Conflict) {
		t.Errorf("resume one that is not paused: %v", err)
	}
	if err := projections.Pause(t.Context(), pools.Projector, "nobody", "because", "me"); !fault.Is(err, fault.NotFound) {
		t.Errorf("pause one that is not there: %v", err)
	}
	if err := projections.Pause(t.Context(), pools.Projector, "p", "because", "me"); err != nil {
		t.Fatal(err)
	}
	if err := unit(log, "b").Commit(t.Context(), at(10), at(20)); !errors.Is(err, consume.ErrPaused) || errors.Is(err, consume.ErrFenced) {
		t.Errorf("a commit while paused: %v", err)
	}
	for _, s := range []consume.State{consume.Running, consume.Parked, consume.Failed} {
		if err := log.SetState(t.Context(), s, "said by the consumer", at(10)); err != nil {
			t.Error(err)
		}
	}
	if c := load(t, log); c.State != consume.Paused || c.Position != at(10) || countVehicles(t, pools) != 1 {
		t.Errorf("a paused consumer is at %+v", c)
	}
	all, err := projections.Consumers(t.Context(), pools.Projector)
	if err != nil || len(all) != 1 || all[0].State != consume.Paused || all[0].Reason != "because" || all[0].Owner != "me" || all[0].Position != 10 {
		t.Errorf("listed %+v (%v)", all, err)
	}
	if err := projections.Resume(t.Context(), pools.Projector, "p", "me"); err != nil {
		t.Fatal(err)
	}
	if err := unit(log, "b").Commit(t.Context(), at(10), at(20)); err != nil || load(t, log).State != consume.Running {
		t.Errorf("after it: %v", err)
	}
	if err := log.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := projections.Pause(t.Context(), pools.Projector, "p", "because", "me"); !fault.Is(err, fault.Conflict) || load(t, log).State != consume.Rebuilding {
		t.Errorf("pause one that is being rebuilt: %v", err)
	}
}

func TestAConsumerPausedBeforeItsFirstCommitMakesNone(t *testing.T) {
	t.Parallel()
	pools := open(t)
	log := newLog(t, pools, "p")
	if err := log.SetState(t.Context(), consume.Running, "", events.Position{}); err != nil {
		t.Fatal(err)
	}
	if err := projections.Pause(t.Context(), pools.Projector, "p", "because", "me"); err != nil {
		t.Fatal(err)
	}
	if err := unit(log, "a").Commit(t.Context(), events.Position{}, at(10)); !errors.Is(err, consume.ErrPaused) {
		t.Errorf("got %v, want ErrPaused", err)
	}
}
