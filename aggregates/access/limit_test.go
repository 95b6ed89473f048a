package access_test

import (
	"fmt"
	"testing"
	"time"

	"waybill/aggregates/access"
)

func limited(t *testing.T, limits access.Limits) (*access.Service, *clock) {
	t.Helper()
	b := newBundle(t)
	c := &clock{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	s, err := access.New(access.Config{Pool: b.pools.Identity, Now: c.Now, Limits: limits})
	must(t, err)
	return s, c
}

func TestFailedTriesAreLimitedPerAddressAndPerEmail(t *testing.T) {
	t.Parallel()
	s, c := limited(t, access.Limits{PerIP: 5, PerEmail: 3, IPEvery: time.Second, EmailEvery: time.Minute})
	try := func(ip, email string) time.Duration {
		_, wait := s.Attempt(access.TrySignIn, ip, email)
		return wait
	}
	for i := range 3 {
		if wait := try(fmt.Sprintf("10.0.0.%d", i), "ann@example.com"); wait != 0 {
			t.Errorf("try %d has to wait %v", i, wait)
		}
	}
	if wait := try("10.0.0.9", " ANN@example.com "); wait != time.Minute {
		t.Errorf("one more from wherever has to wait %v, want a minute", wait)
	}
	if wait := try("10.0.0.9", "bob@example.com"); wait != 0 {
		t.Errorf("another e-mail has to wait %v", wait)
	}
	if _, wait := s.Attempt(access.TryToken, "10.0.0.9", "ann@example.com"); wait != 0 {
		t.Errorf("the link that sets another password has to wait %v", wait)
	}
	c.forward(time.Minute)
	if try("10.0.0.9", "ann@example.com") != 0 || try("10.0.0.9", "ann@example.com") == 0 {
		t.Error("after a minute there is one try more, and one only")
	}
	for i := range 5 {
		if wait := try("2001:db8::"+fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i)); wait != 0 {
			t.Errorf("try %d of a network has to wait %v", i, wait)
		}
	}
	if wait := try("2001:db8::ffff", "v@example.com"); wait != time.Second {
		t.Errorf("one more of the same network has to wait %v, want a second", wait)
	}
	if try("2001:db8:0:1::1", "v@example.com") != 0 {
		t.Error("another network is another")
	}
}

func TestATrySucceededOrRefusedCostsNothing(t *testing.T) {
	t.Parallel()
	s, _ := limited(t, access.Limits{PerIP: 2, PerEmail: 2})
	for range 50 {
		try, wait := s.Attempt(access.TrySignIn, "10.0.0.1", "ann@example.com")
		if wait != 0 {
			t.Fatal("who signs in rightly is never kept waiting")
		}
		try.Succeeded()
	}
	s.Attempt(access.TrySignIn, "10.0.0.1", "ann@example.com")
	s.Attempt(access.TrySignIn, "10.0.0.1", "ann@example.com")
	_, first := s.Attempt(access.TrySignIn, "10.0.0.1", "ann@example.com")
	for range 50 {
		if _, wait := s.Attempt(access.TrySignIn, "10.0.0.1", "ann@example.com"); wait != first {
			t.Fatalf("waits %v, then %v: being refused must not make it longer", first, wait)
		}
	}
}

func TestLimitsRememberABoundedNumber(t *testing.T) {
	t.Parallel()
	s, _ := limited(t, access.Limits{PerIP: 1, PerEmail: 1, Remembered: 2})
	for i := range 3 {
		if _, wait := s.Attempt(access.TrySignIn, fmt.Sprintf("10.0.0.%d", i), ""); wait != 0 {
			t.Errorf("address %d waits %v", i, wait)
		}
	}
	if _, wait := s.Attempt(access.TrySignIn, "10.0.0.2", ""); wait == 0 {
		t.Error("the latest must be remembered")
	}
	if _, wait := s.Attempt(access.TrySignIn, "10.0.0.0", ""); wait != 0 {
		t.Error("the one that tried longest ago must be forgotten")
	}
}
