package group

import "waybill/events"

// Rename gives the group another name. Its id stays its key everywhere.
type Rename struct{ Name string }

// Decide gives GroupRenamed; nothing when it is called so already. An archived
// group can be renamed, so that its name becomes free.
func (c Rename) Decide(s State) ([]events.Payload, error) {
	if err := s.ordinary(); err != nil {
		return nil, err
	}
	if err := s.unmerged(); err != nil {
		return nil, err
	}
	if err := CheckName("name", c.Name); err != nil {
		return nil, err
	}
	if to := Tidy(c.Name); to != s.Name {
		return []events.Payload{&events.GroupRenamed{From: s.Name, To: to}}, nil
	}
	return nil, nil
}
