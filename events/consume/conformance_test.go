package consume_test

import (
	"os"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"waybill/events/consume"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

// soak names the environment variable that runs the suite at its full size and
// several times at once, STRESS_TEST_COUNT times or ten.
const soak = "WAYBILL_SOAK"

// TestPublisherAndSubscriberPassWatermillsSuite runs Watermill's own conformance
// suite in the mode without groups: every subscription gets every message of
// its stream from the first on, in order. The suite itself skips what the
// features below say is not there: consumer groups and what needs them, and
// restarting a broker by a command.
func TestPublisherAndSubscriberPassWatermillsSuite(t *testing.T) {
	url, run := storetest.URL(t), tests.TestPubSub
	if os.Getenv(soak) != "" {
		run = tests.TestPubSubStressTest
	}
	run(t, tests.Features{
		GuaranteedOrder:                  true,
		Persistent:                       true,
		NewSubscriberReceivesOldMessages: true,
		ForceShort:                       os.Getenv(soak) == "",
	}, func(t *testing.T) (message.Publisher, message.Subscriber) {
		s := storetest.Open(t, store.Config{URL: url})
		pub, err := consume.NewPublisher(consume.PublisherConfig{Store: s})
		if err != nil {
			t.Fatal(err)
		}
		sub, err := consume.NewSubscriber(consume.SubscriberConfig{Store: s})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sub.Close() }) // the suite does not close what it multiplies
		return pub, sub
	}, nil)
}
