package main
type demoCmd struct{}
type importCmd struct{}
type organisationCmd struct{}
type signInLinkCmd struct{}
type rebuildCmd struct{}
func (c *demoCmd) Run() error { return nil }
func (c *importCmd) Run() error { return nil }
func (c *organisationCmd) Run() error { return nil }
func (c *signInLinkCmd) Run() error { return nil }
func (c *rebuildCmd) Run() error { return nil }
