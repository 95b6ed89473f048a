package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/cmd/waybill/sample"
	"waybill/events"
)

// demoCmd makes an organisation out of a delivery file and shows who sees what.
// It can be run again, also after being killed at any instant: every step of it
// is a command that is there once however often it is given.
type demoCmd struct {
	File string `placeholder:"FILE" help:"Delivery file to take instead of the one that is built in; see the flags for reading it."`
	Exit bool   `help:"End after the summary."`
	reportFlags
	fileFlags
	serverFlags
	mailFlags
	storageFlags
	logFlags
}

// demo is one run of it.
type demo struct {
	s       *system
	cmd     *demoCmd
	org     organisation
	owner   person
	slug    string // of the organisation, as in e-mails
	base    string // URL; empty with --exit
	job     *importJob
	imports importSummary
}

// Run implements the verb.
func (c *demoCmd) Run(ctx context.Context, m *Main) (err error) {
	var l net.Listener
	var mails mailing // with --exit, the next server sends them
	var figures metricsPlace
	if !c.Exit {
		if l, err = listen(c.Listen); err != nil {
			return err
		}
		defer l.Close()
		if mails, err = c.mailing(urlOf(l)); err != nil {
			return err
		}
		if figures, err = c.serverFlags.metrics(l, mails.public); err != nil {
			return err
		}
		defer figures.close()
	}
	job, err := m.stage(ctx, c.fileFlags, c.Report, c.open)
	if err != nil {
		return err
	}
	defer job.close()
	err = withSystem(ctx, systemConfig{storageFlags: c.storageFlags, Mailing: mails, Pace: m.pace, Log: c.logger(m.Stderr)}, func(ctx context.Context, s *system) error {
		d := &demo{s: s, cmd: c, job: job}
		if l != nil {
			d.base = urlOf(l)
		}
		shown, err := d.prepare(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			err = printJSON(m.Stdout, shown)
		} else {
			err = shown.print(m.Stdout, job.report)
		}
		if err = errors.Join(err, job.close()); err != nil || c.Exit {
			return err
		}
		s.edge, s.metrics = c.edgeFlags, figures
		return s.serve(ctx, l, c.SetupToken, func() {
			if m.Serving != nil {
				m.Serving(d.base)
			}
		})
	})
	return endedBySignal(ctx, err)
}

// open stages the file, or the one that is built in.
func (c *demoCmd) open(ctx context.Context, cfg importing.Config) (*importing.File, error) {
	if c.File == "" {
		return importing.StageReader(ctx, bytes.NewReader(sample.Workbook()), sample.Name, cfg)
	}
	return importing.Stage(ctx, c.File, cfg)
}

// prepare makes the organisation, its deliveries and its people, waits until the
// read models hold them, and finds out who sees what.
func (d *demo) prepare(ctx context.Context) (*shown, error) {
	if err := d.s.caughtUp(ctx); err != nil {
		return nil, err
	}
	if err := d.found(ctx); err != nil {
		return nil, err
	}
	var err error
	if d.imports, err = d.s.importFile(ctx, d.org.ID, importOptions{CreateGroups: true}, d.job); err != nil {
		return nil, err
	}
	if err := d.s.progress.Wait(ctx, d.imports.Position); err != nil {
		return nil, err
	}
	people, err := d.people(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.add(ctx, people); err != nil {
		return nil, err
	}
	out, err := d.show(ctx, people)
	if err != nil {
		return nil, err
	}
	return out, d.clients(ctx, out)
}

// found makes the organisation, with its owner and the Group field on.
func (d *demo) found(ctx context.Context) error {
	d.org.Name, d.slug = "Fruit Logistics", "fruit"
	if d.cmd.File != "" {
		d.org.Name = strings.TrimSuffix(filepath.Base(d.cmd.File), filepath.Ext(d.cmd.File))
		d.slug = slugOf(d.org.Name)
	}
	d.owner = person{Name: "Olivia", Email: d.email("olivia"), Role: access.RoleOwner, All: true}
	made, err := d.s.commands.CreateOrganisation(ctx, access.System(uuid.Nil), d.envelope("organisation"), command.CreateOrganisation{
		Name: d.org.Name, Kind: events.OrganisationOperator, Timezone: "UTC",
		Owner: command.Owner{Name: d.owner.Name, Email: d.owner.Email},
	})
	if err != nil {
		return err
	}
	d.owner.User, d.owner.Identity = made.Owner.ID, made.Owner.Identity
	d.org.ID, d.org.AllGroup = made.Organisation, made.AllGroup
	_, err = d.s.commands.EnableGroupField(ctx, access.System(d.org.ID), d.envelope("group field"))
	return err
}

// demoCommands is the namespace of the demo's command ids: the same step of the
// same organisation is the same command in every run.
var demoCommands = uuid.NewSHA1(uuid.NameSpaceOID, []byte("waybill demo"))

func (d *demo) envelope(step string) command.Envelope {
	return command.Envelope{CommandID: uuid.NewSHA1(demoCommands, []byte(d.org.Name+"\x00"+step))}
}

func (d *demo) email(name string) string { return name + "@" + d.slug + ".example" }

// slugOf makes a part of an e-mail address of a name: lower-case letters, digits
// and single dashes; "x" when nothing is left.
func slugOf(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s[:min(len(s), 40)]
	}
	return "x"
}
