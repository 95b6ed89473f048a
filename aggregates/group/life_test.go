package group

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/aggregatetest"
	"waybill/events"
	"waybill/events/fault"
)

var (
	apple  = uuid.MustParse("11111111-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	banana = uuid.MustParse("22222222-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	all    = given(&events.GroupCreated{Kind: events.GroupKindAll, Name: "ALL",
		Organisation: &events.Organisation{Name: "Swift", Kind: events.OrganisationOperator, Timezone: "UTC"}})
	merged = given(standard[0], &events.GroupMerged{Into: banana})
)

func ofClient(client uuid.UUID) []events.Payload {
	return given(&events.GroupCreated{Kind: events.GroupKindClient, Name: "Client", Client: client})
}

func state(evs []events.Payload) State { return aggregatetest.From(Evolve, evs...) }

func TestRename(t *testing.T) {
	t.Parallel()
	aggregatetest.Decide(t, Evolve, tests{
		"a group is renamed, and both names are told": {Given: standard, When: Rename{"  Apple  Wholesale "}, Then: then(&events.GroupRenamed{From: "Apple", To: "Apple Wholesale"})},
		"another spelling is another name":            {Given: standard, When: Rename{"APPLE"}, Then: then(&events.GroupRenamed{From: "Apple", To: "APPLE"})},
		"the same name is nothing new":                {Given: standard, When: Rename{" Apple "}},
		"the name before is told, not the first one":  {Given: given(standard[0], &events.GroupRenamed{From: "Apple", To: "B"}), When: Rename{"C"}, Then: then(&events.GroupRenamed{From: "B", To: "C"})},
		"an archived group can be renamed":            {Given: archived, When: Rename{"Old"}, Then: then(&events.GroupRenamed{From: "Apple", To: "Old"})},
		"a merged group cannot":                       {Given: merged, When: Rename{"Old"}, Refused: "group-merged"},
		"the ALL group cannot":                        {Given: all, When: Rename{"Everything"}, Refused: "group-reserved"},
		"nothing is named ALL":                        {Given: standard, When: Rename{"all"}, Refused: "invalid-field", Field: "name"},
		"a group has a name":                          {Given: standard, When: Rename{" "}, Refused: "invalid-field", Field: "name"},
		"what does not exist cannot be renamed":       {When: Rename{"X"}, Refused: "group-not-found"},
	})
}

func TestMerge(t *testing.T) {
	t.Parallel()
	into := func(target []events.Payload) Merge { return Merge{Source: apple, Into: banana, Target: state(target)} }
	widening := func(acknowledged bool, deliveries int64) Merge {
		m := into(standard)
		m.Widened, m.Deliveries, m.Acknowledged = []uuid.UUID{org1}, deliveries, acknowledged
		return m
	}
	aggregatetest.Decide(t, Evolve, tests{
		"a group is merged into another":                     {Given: standard, When: into(standard), Then: then(&events.GroupMerged{Into: banana})},
		"merging it into the same again does nothing":        {Given: merged, When: into(standard)},
		"merging is final":                                   {Given: merged, When: Merge{Source: apple, Into: org1, Target: state(standard)}, Refused: "group-merged"},
		"a merged group is not archived":                     {Given: merged, When: Archive{"x"}, Refused: "group-merged"},
		"a merged group is not restored":                     {Given: merged, When: Restore{}, Refused: "group-merged"},
		"a merged group takes no code":                       {Given: merged, When: MapCode{"C"}, Refused: "group-merged"},
		"a merged group takes no vehicle":                    {Given: merged, When: AddVehicle{org1}, Refused: "group-merged"},
		"a group is not merged into itself":                  {Given: standard, When: Merge{Source: apple, Into: apple, Target: state(standard)}, Refused: "invalid-field", Field: "into"},
		"an archived group is not merged":                    {Given: archived, When: into(standard), Refused: "group-archived"},
		"nothing is merged into an archived group":           {Given: standard, When: into(archived), Refused: "group-archived"},
		"nothing is merged into a merged group":              {Given: standard, When: into(merged), Refused: "group-merged"},
		"nothing is merged into ALL":                         {Given: standard, When: into(all), Refused: "group-reserved"},
		"ALL is not merged":                                  {Given: all, When: into(standard), Refused: "group-reserved"},
		"nothing is merged into what does not exist":         {Given: standard, When: into(nil), Refused: "group-not-found"},
		"what does not exist is not merged":                  {When: into(standard), Refused: "group-not-found"},
		"groups of different clients never merge":            {Given: ofClient(apple), When: into(ofClient(banana)), Refused: "groups-of-different-clients"},
		"a client's own group stays":                         {Given: ofClient(apple), When: into(standard), Refused: "group-of-client"},
		"a group made by hand goes into a client's":          {Given: standard, When: into(ofClient(apple)), Then: then(&events.GroupMerged{Into: banana})},
		"who gains sight of deliveries must be acknowledged": {Given: standard, When: widening(false, 3), Refused: "widening-not-acknowledged"},
		"and is recorded":                                    {Given: standard, When: widening(true, 3), Then: then(&events.GroupMerged{Into: banana, Widened: []uuid.UUID{org1}})},
		"without deliveries nobody gains anything":           {Given: standard, When: widening(false, 0), Then: then(&events.GroupMerged{Into: banana, Widened: []uuid.UUID{org1}})},
	})
}

func TestWhatIsMergedGivesItsNameAndCodesUp(t *testing.T) {
	t.Parallel()
	s := state(given(standard[0], &events.CustomerCodeMapped{Code: "C"}))
	if !s.HasName("APPLE") || !s.HasCode("c") {
		t.Fatal("an active group has neither its name nor its code")
	}
	s = Evolve(s, &events.GroupMerged{Into: banana})
	if s.HasName("Apple") || s.HasCode("C") || s.Into != banana || s.IsActive() {
		t.Errorf("a merged group still counts: %+v", s)
	}
	if got := Touches(apple, s, &events.GroupMerged{Into: banana}); !slices.Equal(got, []uuid.UUID{apple, banana}) {
		t.Errorf("a merge touches %v, want both groups", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	template := events.ImportTemplate{Columns: map[string]string{"group": "Customer Code"}, DateFormat: "DD/MM/YYYY"}
	set := &events.GroupImportTemplateSet{Template: template}
	aggregatetest.Decide(t, Evolve, tests{
		"the timezone is set":                {Given: all, When: SetTimezone{"Europe/London"}, Then: then(&events.TimezoneSet{From: "UTC", To: "Europe/London"})},
		"the same timezone is nothing new":   {Given: append(slices.Clone(all), &events.TimezoneSet{From: "UTC", To: "Europe/London"}), When: SetTimezone{"Europe/London"}},
		"a timezone exists":                  {Given: all, When: SetTimezone{"Mars/Base"}, Refused: "invalid-field", Field: "timezone"},
		"groups have no timezone":            {Given: standard, When: SetTimezone{"UTC"}, Refused: "organisation-not-found"},
		"the organisation has a template":    {Given: all, When: SetImportTemplate{template}, Then: then(set)},
		"a group has one of its own":         {Given: standard, When: SetImportTemplate{template}, Then: then(set)},
		"the same template is nothing new":   {Given: given(standard[0], set), When: SetImportTemplate{template}},
		"a template is taken away":           {Given: given(standard[0], set), When: SetImportTemplate{}, Then: then(&events.GroupImportTemplateSet{})},
		"a header is not empty":              {Given: standard, When: SetImportTemplate{events.ImportTemplate{Columns: map[string]string{"date": " "}}}, Refused: "invalid-field", Field: "columns.date"},
		"a header has an end":                {Given: standard, When: SetImportTemplate{events.ImportTemplate{Columns: map[string]string{"date": strings.Repeat("x", 300)}}}, Refused: "invalid-field", Field: "columns.date"},
		"an archived group gets no template": {Given: archived, When: SetImportTemplate{template}, Refused: "group-archived"},
		"what does not exist gets none":      {When: SetImportTemplate{template}, Refused: "group-not-found"},
	})
}

func TestRemoveVehicle(t *testing.T) {
	t.Parallel()
	in := given(standard[0], &events.VehicleAddedToGroup{Vehicle: org1})
	out := &events.VehicleRemovedFromGroup{Vehicle: org1}
	aggregatetest.Decide(t, Evolve, tests{
		"a vehicle leaves a group":            {Given: in, When: RemoveVehicle{org1}, Then: then(out)},
		"a vehicle leaves the register":       {Given: append(slices.Clone(all), van), When: RemoveVehicle{org1}, Then: then(out)},
		"its plate can be registered anew":    {Given: append(slices.Clone(all), van, out), When: RegisterVehicle{apple, "Van 1", "B-WB 1"}, Then: then(&events.VehicleAddedToGroup{Vehicle: apple, Name: "Van 1", Plate: "B-WB 1"})},
		"what is not there does not leave":    {Given: standard, When: RemoveVehicle{org1}},
		"it leaves once":                      {Given: append(slices.Clone(in), out), When: RemoveVehicle{org1}},
		"it leaves an archived group as well": {Given: append(slices.Clone(in), &events.GroupArchived{}), When: RemoveVehicle{org1}, Then: then(out)},
		"what does not exist loses nothing":   {When: RemoveVehicle{org1}, Refused: "group-not-found"},
	})
	if err := state(merged).Usable(); !fault.Is(err, fault.Conflict) {
		t.Errorf("a merged group is usable: %v", err)
	}
}
