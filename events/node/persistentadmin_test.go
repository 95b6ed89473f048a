package node

import (
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestGroupsAreManaged(t *testing.T) {
	t.Parallel()
	_, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(3)...)
	createGroup(t, c, "s", esdb.Revision(1), func(s *esdb.PersistentSubscriptionSettings) { s.MaxSubscriberCount, s.ResolveLinkTos = 1, true })
	options := esdb.PersistentStreamSubscriptionOptions{StartFrom: esdb.Start{}, Settings: groupSettings()}
	if err := c.CreatePersistentSubscription(within(t), "s", "g", options); codeOf(err) != esdb.ErrorCodeResourceAlreadyExists {
		t.Errorf("created twice: %v", err)
	}
	if err := c.UpdatePersistentSubscription(within(t), "s", "none", options); codeOf(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("update of none: %v", err)
	}
	if err := c.DeletePersistentSubscription(within(t), "s", "none", esdb.DeletePersistentSubscriptionOptions{}); codeOf(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("delete of none: %v", err)
	}
	if _, err := c.SubscribeToPersistentSubscription(within(t), "s", "none", esdb.SubscribeToPersistentSubscriptionOptions{}); codeOf(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("subscribe to none: %v", err)
	}
	bad := options
	bad.Settings = groupSettings(func(s *esdb.PersistentSubscriptionSettings) { s.ReadBatchSize = s.HistoryBufferSize })
	if err := c.CreatePersistentSubscription(within(t), "s", "bad", bad); err == nil || !strings.Contains(err.Error(), "read batch size") {
		t.Errorf("bad settings: %v", err)
	}
	m := joinGroup(t, c, "s", 1)
	if _, err := c.SubscribeToPersistentSubscription(within(t), "s", "g", esdb.SubscribeToPersistentSubscriptionOptions{}); err == nil || !strings.Contains(err.Error(), "Maximum subscriptions reached") {
		t.Errorf("one consumer too many: %v", err)
	}
	m.expect(1)
	eventually(t, "the next one is handed out, because that was acknowledged", func() bool {
		i := groupInfo(t, c, "s")
		return len(i.Connections) == 1 && i.Connections[0].TotalItemsProcessed == 2
	})
	info := groupInfo(t, c, "s")
	if info.EventSource != "s" || info.GroupName != "g" || len(info.Connections) != 1 || *info.Stats.LastKnownEventRevision != 2 ||
		info.Settings.MaxSubscriberCount != 1 || !info.Settings.ResolveLinkTos || info.Settings.StartFrom != esdb.Revision(1) || info.Settings.ConsumerStrategyName != "RoundRobin" {
		t.Errorf("info %+v, settings %+v", info, info.Settings)
	}
	if err := c.UpdatePersistentSubscription(within(t), "s", "g", options); err != nil {
		t.Fatal(err)
	}
	for e := m.sub.Recv(); e.SubscriptionDropped == nil; e = m.sub.Recv() {
	}
	joinGroup(t, c, "s", 5).expect(2) // goes on, whatever the update says about the start
	all, err := c.ListAllPersistentSubscriptions(within(t), esdb.ListPersistentSubscriptionsOptions{})
	if err != nil || len(all) != 1 {
		t.Errorf("list: %d, %v", len(all), err)
	}
	if _, err := c.ListPersistentSubscriptionsForStream(within(t), "other", esdb.ListPersistentSubscriptionsOptions{}); codeOf(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("list of a stream without groups: %v", err)
	}
	if err := c.RestartPersistentSubscriptionSubsystem(within(t), esdb.RestartPersistentSubscriptionSubsystemOptions{}); err != nil {
		t.Error(err)
	}
	if err := c.DeletePersistentSubscription(within(t), "s", "g", esdb.DeletePersistentSubscriptionOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetPersistentSubscriptionInfo(within(t), "s", "g", esdb.GetPersistentSubscriptionOptions{}); codeOf(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("info of the deleted: %v", err)
	}
}

func TestClientsThatLookForAClusterFindTheNode(t *testing.T) {
	t.Parallel()
	n, _ := serve(t)
	c := connect(t, "esdb+discover://"+n.Addr()+"?tls=false&nodePreference=leader")
	appendTo(t, c, "s", esdb.NoStream{}, proposals(1)...)
}
