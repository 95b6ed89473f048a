package group

import (
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/aggregatetest"
	"waybill/events"
)

type tests = map[string]aggregatetest.Case[State]

func given(evs ...events.Payload) []events.Payload { return evs }

var then = given

func TestOrganisation(t *testing.T) {
	t.Parallel()
	owner := uuid.New()
	org := events.Organisation{Name: "Swift", Kind: events.OrganisationOperator, Timezone: "Europe/Berlin"}
	created := given(&events.GroupCreated{Kind: events.GroupKindAll, Name: "ALL", Organisation: &org}, &events.OwnerAdded{User: owner})
	aggregatetest.Decide(t, Evolve, tests{
		"creating it makes the ALL group and records the first owner": {
			When: CreateOrganisation{events.Organisation{Name: "  Swift ", Kind: org.Kind, Timezone: org.Timezone}, owner},
			Then: created,
		},
		"it is created once":             {Given: created, When: CreateOrganisation{org, owner}, Refused: "organisation-exists"},
		"it has a name":                  {When: CreateOrganisation{events.Organisation{Kind: org.Kind, Timezone: "UTC"}, owner}, Refused: "invalid-field", Field: "name"},
		"it is of a known kind":          {When: CreateOrganisation{events.Organisation{Name: "S", Kind: "club", Timezone: "UTC"}, owner}, Refused: "invalid-field", Field: "kind"},
		"its timezone exists":            {When: CreateOrganisation{events.Organisation{Name: "S", Kind: org.Kind, Timezone: "Mars/Base"}, owner}, Refused: "invalid-field", Field: "timezone"},
		"its timezone is not empty":      {When: CreateOrganisation{events.Organisation{Name: "S", Kind: org.Kind}, owner}, Refused: "invalid-field", Field: "timezone"},
		"its timezone is not Local":      {When: CreateOrganisation{events.Organisation{Name: "S", Kind: org.Kind, Timezone: "Local"}, owner}, Refused: "invalid-field", Field: "timezone"},
		"an owner is added once":         {Given: created, When: AddOwner{owner}},
		"further owners are added":       {Given: created, When: AddOwner{org1}, Then: then(&events.OwnerAdded{User: org1})},
		"an owner is removed":            {Given: append(created, &events.OwnerAdded{User: org1}), When: RemoveOwner{owner}, Then: then(&events.OwnerRemoved{User: owner})},
		"who is no owner is not removed": {Given: created, When: RemoveOwner{org1}},
		"the last owner stays":           {Given: append(created, &events.OwnerAdded{User: org1}, &events.OwnerRemoved{User: org1}), When: RemoveOwner{owner}, Refused: "last-owner"},
		"groups have no owners":          {Given: standard, When: RemoveOwner{owner}, Refused: "organisation-not-found"},
		"owners are of organisations":    {Given: standard, When: AddOwner{owner}, Refused: "organisation-not-found"},
		"the Group field is turned on":   {Given: created, When: SetField{true}, Then: then(&events.GroupFieldEnabled{})},
		"turning it on twice is once":    {Given: append(created, &events.GroupFieldEnabled{}), When: SetField{true}},
		"the Group field is turned off": {
			Given: append(created, &events.GroupFieldEnabled{}), When: SetField{false}, Then: then(&events.GroupFieldDisabled{}),
		},
		"it is off from the start":          {Given: created, When: SetField{false}},
		"the ALL group is never archived":   {Given: created, When: Archive{"why"}, Refused: "group-reserved"},
		"the ALL group gets no code":        {Given: created, When: MapCode{"ALL"}, Refused: "group-reserved"},
		"a vehicle is registered":           {Given: created, When: RegisterVehicle{org1, "Van 1", "B-WB 1"}, Then: then(van)},
		"a plate is registered once":        {Given: append(created, van), When: RegisterVehicle{org1, "Van 2", " b-wb1 "}, Refused: "plate-taken"},
		"a vehicle has a plate":             {Given: created, When: RegisterVehicle{org1, "Van 2", " "}, Refused: "invalid-field", Field: "plate"},
		"vehicles are registered on ALL":    {Given: standard, When: RegisterVehicle{org1, "Van 2", "B"}, Refused: "organisation-not-found"},
		"what does not exist has no owners": {When: AddOwner{owner}, Refused: "organisation-not-found"},
	})
}

var (
	org1     = uuid.MustParse("5a0a9c4e-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	van      = &events.VehicleAddedToGroup{Vehicle: org1, Name: "Van 1", Plate: "B-WB 1"}
	standard = given(&events.GroupCreated{Kind: events.GroupKindStandard, Name: "Apple"})
	archived = given(standard[0], &events.GroupArchived{})
)

func TestGroup(t *testing.T) {
	t.Parallel()
	aggregatetest.Decide(t, Evolve, tests{
		"a group is created with a tidy name":     {When: Create{Name: "  Apple \t Inc "}, Then: then(&events.GroupCreated{Kind: events.GroupKindStandard, Name: "Apple Inc"})},
		"a client's group knows its client":       {When: Create{Name: "A", Client: org1}, Then: then(&events.GroupCreated{Kind: events.GroupKindClient, Name: "A", Client: org1})},
		"a group is created once":                 {Given: standard, When: Create{Name: "Apple"}, Refused: "group-exists"},
		"an abandoned group is never created":     {Given: given(&events.CreationAbandoned{}), When: Create{Name: "Apple"}, Refused: "creation-abandoned"},
		"a group has a name":                      {When: Create{Name: " \u00a0\t"}, Refused: "invalid-field", Field: "name"},
		"ALL is reserved in every spelling":       {When: Create{Name: " ａll"}, Refused: "invalid-field", Field: "name"},
		"a name holds no control characters":      {When: Create{Name: "A\x00B"}, Refused: "invalid-field", Field: "name"},
		"a code is mapped":                        {Given: standard, When: MapCode{" C-1 "}, Then: then(&events.CustomerCodeMapped{Code: "C-1"})},
		"a code is mapped once, however spelt":    {Given: append(standard, &events.CustomerCodeMapped{Code: "C-1"}), When: MapCode{"c-1"}},
		"a code is not empty":                     {Given: standard, When: MapCode{" "}, Refused: "invalid-field", Field: "code"},
		"an archived group gets no code":          {Given: archived, When: MapCode{"C-1"}, Refused: "group-archived"},
		"a code is unmapped as it was written":    {Given: append(standard, &events.CustomerCodeMapped{Code: "C-1"}), When: UnmapCode{"c-1"}, Then: then(&events.CustomerCodeUnmapped{Code: "C-1"})},
		"what is not mapped is not unmapped":      {Given: standard, When: UnmapCode{"C-1"}},
		"a group is archived for a reason":        {Given: standard, When: Archive{"closed"}, Then: then(&events.GroupArchived{})},
		"archiving needs the reason":              {Given: standard, When: Archive{" "}, Refused: "invalid-field", Field: "reason"},
		"archiving twice is once":                 {Given: archived, When: Archive{"closed"}},
		"a group is restored":                     {Given: archived, When: Restore{}, Then: then(&events.GroupRestored{})},
		"restoring what is active does nothing":   {Given: standard, When: Restore{}},
		"a vehicle is added":                      {Given: standard, When: AddVehicle{org1}, Then: then(&events.VehicleAddedToGroup{Vehicle: org1})},
		"a vehicle is added once":                 {Given: append(standard[:1:1], &events.VehicleAddedToGroup{Vehicle: org1}), When: AddVehicle{org1}},
		"an archived group gets no vehicle":       {Given: archived, When: AddVehicle{org1}, Refused: "group-archived"},
		"what does not exist cannot be archived":  {When: Archive{"closed"}, Refused: "group-not-found"},
		"what is abandoned cannot be restored":    {Given: given(&events.CreationAbandoned{}), When: Restore{}, Refused: "group-not-found"},
		"what does not exist cannot get a code":   {When: MapCode{"C-1"}, Refused: "group-not-found"},
		"what does not exist cannot lose a code":  {When: UnmapCode{"C-1"}, Refused: "group-not-found"},
		"a group has no settings of organisation": {Given: standard, When: SetField{true}, Refused: "organisation-not-found"},
	})
}

func TestStatesDoNotShareWhatTheyAdd(t *testing.T) {
	t.Parallel()
	base := aggregatetest.From(Evolve, standard[0], &events.CustomerCodeMapped{Code: "A"}, &events.CustomerCodeMapped{Code: "B"})
	one, two := Evolve(base, &events.CustomerCodeMapped{Code: "C"}), Evolve(base, &events.CustomerCodeMapped{Code: "D"})
	if one.HasCode("D") || two.HasCode("C") || base.HasCode("C") || !one.HasCode("C") || !two.HasCode("D") {
		t.Errorf("states share codes: %v, %v, %v", base.Codes, one.Codes, two.Codes)
	}
	less := Evolve(one, &events.CustomerCodeUnmapped{Code: "A"})
	if !one.HasCode("A") || less.HasCode("A") {
		t.Errorf("unmapping changed the state before: %v, %v", one.Codes, less.Codes)
	}
}
