package mail

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"waybill/events/fault"
)

// Files is a [Transport] for those without a mail server: every mail becomes a
// file, readable by its owner only, named by its time and its event. The latest
// ones are kept.
type Files struct {
	// Dir is the directory; it is made when it is missing. Required.
	Dir string
	// Keep is how many files are kept, the oldest are deleted first. Defaults to
	// 1000.
	Keep int

	mu sync.Mutex
}

const (
	fileSuffix = ".eml"
	fileTime   = "20060102T150405.000000Z"
)

// Send implements [Transport].
func (f *Files) Send(_ context.Context, m Message) error {
	msg, err := m.compose()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return away("mails cannot be written to files: %v", err)
	}
	path := filepath.Join(f.Dir, m.Date.UTC().Format(fileTime)+"-"+m.Event.String()+fileSuffix)
	if err := write(path, func(w io.Writer) error { _, err := msg.WriteTo(w); return err }); err != nil {
		return away("mails cannot be written to files: %v", err)
	}
	return f.prune()
}

// write makes a file, whole or not at all.
func write(path string, content func(io.Writer) error) (err error) {
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(file)
	err = content(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return os.Rename(fresh, path)
}

// names returns the files, the oldest first.
func (f *Files) names() ([]string, error) {
	entries, err := os.ReadDir(f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries { // in the order of their names, which begin with the time
		if strings.HasSuffix(e.Name(), fileSuffix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (f *Files) prune() error {
	keep := f.Keep
	if keep <= 0 {
		keep = 1000
	}
	names, err := f.names()
	if err != nil {
		return away("mails in files cannot be listed: %v", err)
	}
	for _, name := range names[:max(0, len(names)-keep)] {
		if err := os.Remove(filepath.Join(f.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return away("old mails in files cannot be deleted: %v", err)
		}
	}
	return nil
}

// Letter is a mail that was written to a file.
type Letter struct {
	Path      string    `json:"path"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	Date      time.Time `json:"date"`
	MessageID string    `json:"message_id"`
	Text      string    `json:"text"` // with its link
}

// Read returns the latest mail about an event. Errors: NotFound.
func (f *Files) Read(event uuid.UUID) (Letter, error) {
	names, err := f.names()
	if err != nil {
		return Letter{}, fmt.Errorf("mails in files: %w", err)
	}
	slices.Reverse(names)
	i := slices.IndexFunc(names, func(name string) bool { return strings.HasSuffix(name, "-"+event.String()+fileSuffix) })
	if i < 0 {
		return Letter{}, fault.New(fault.NotFound, "mail-not-in-files", "There is no file of the mail %s", event)
	}
	path := filepath.Join(f.Dir, names[i])
	file, err := os.Open(path)
	if err != nil {
		return Letter{}, fmt.Errorf("mail %s: %w", event, err)
	}
	defer file.Close()
	l, err := ParseLetter(file)
	if err != nil {
		return Letter{}, fmt.Errorf("mail in %s: %w", path, err)
	}
	l.Path = path
	return l, nil
}

// ParseLetter reads a mail as it is written: its headers, and the text among its
// parts.
func ParseLetter(r io.Reader) (Letter, error) {
	m, err := netmail.ReadMessage(r)
	if err != nil {
		return Letter{}, err
	}
	words := new(mime.WordDecoder)
	header := func(name string) string {
		text, err := words.DecodeHeader(m.Header.Get(name))
		if err != nil {
			return m.Header.Get(name)
		}
		return text
	}
	l := Letter{From: header("From"), To: header("To"), Subject: header("Subject"), MessageID: strings.Trim(m.Header.Get("Message-ID"), "<>")}
	if l.Date, err = m.Header.Date(); err != nil {
		return Letter{}, err
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return Letter{}, err
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			return Letter{}, fmt.Errorf("no text: %w", err)
		}
		if !strings.HasPrefix(part.Header.Get("Content-Type"), "text/plain") {
			continue
		}
		text, err := io.ReadAll(part)
		l.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
		return l, err
	}
}
