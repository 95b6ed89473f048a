package consume_test

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"waybill/events/consume"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

// soak names the environment variable that runs Watermill's suite at its full
// size and several times at once, STRESS_TEST_COUNT times or ten.
const soak = "WAYBILL_SOAK"

// restarts lets one test of restarts go on at a time: the suite gives each a
// minute.
var restarts sync.Mutex

// These run Watermill's own conformance suite. It skips by itself what the
// features below say is not there.

// Without a group every subscription gets every message of its stream from the
// first on, in order.
func TestPublisherAndSubscriberPassWatermillsSuite(t *testing.T) {
	passWatermillsSuite(t, "", tests.Features{
		GuaranteedOrder:                  true,
		Persistent:                       true,
		NewSubscriberReceivesOldMessages: true,
	})
}

// With a group each message goes to one of its subscriptions, in order, and the
// store keeps how far the group is.
func TestAGroupPassesWatermillsSuite(t *testing.T) {
	passWatermillsSuite(t, "test", tests.Features{
		ConsumerGroups:  true,
		GuaranteedOrder: true,
		Persistent:      true,
	})
}

// The suite counts every message then, where it otherwise overlooks repetitions;
// while nothing fails there are none. That is not to say that delivery is exactly
// once: it is at least once.
func TestAGroupPassesWatermillsSuiteWithEveryMessageCounted(t *testing.T) {
	passWatermillsSuite(t, "test", tests.Features{
		ConsumerGroups:      true,
		GuaranteedOrder:     true,
		Persistent:          true,
		ExactlyOnceDelivery: true,
	})
}

func passWatermillsSuite(t *testing.T, group string, features tests.Features) {
	t.Parallel()
	url, run := os.Getenv(storetest.Variable), tests.TestPubSub
	features.ForceShort = true
	if os.Getenv(soak) != "" {
		run, features.ForceShort = tests.TestPubSubStressTest, false
	}
	if url == "" {
		node := storetest.StartProcess(t)
		url = node.URL()
		// The suite's test of restarts has a data race in itself, so it is not for
		// the race detector; nor for the stress, where the other tests would have
		// to bear the restarts.
		if !raceDetector && features.ForceShort {
			features.RestartServiceCommand = node.RestartCommand()
		}
	}
	open := func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
		s := storetest.Open(t, store.Config{
			URL: url, Timeout: time.Minute, AttemptTimeout: 5 * time.Second,
			MinBackoff: 20 * time.Millisecond, MaxBackoff: 500 * time.Millisecond,
		})
		sub, err := consume.NewSubscriber(consume.SubscriberConfig{Store: s, Group: group})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sub.Close() }) // the suite does not close what it multiplies
		if strings.Contains(t.Name(), "/TestReconnect/") {
			restarts.Lock()
			t.Cleanup(restarts.Unlock)
			return publisher(t, s), unhurried{sub}
		}
		return publisher(t, s), sub
	}
	run(t, features, func(t *testing.T) (message.Publisher, message.Subscriber) { return open(t, group) }, open)
}
