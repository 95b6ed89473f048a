package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"
)

//go:embed templates
var templates embed.FS

// words are what a mail is made of.
type words struct {
	Organisation string
	Name         string // of who gets it; may be empty
	Business     string // of a client
	Known        bool   // who gets it has a password
	Link         string // with its token; may be empty
	Until        string // when the link stops working
	Base         string // where people reach the server
}

// wording turns words into mails: a subject, a text and an HTML form of each kind.
type wording struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

func newWording() (*wording, error) {
	text, err := texttemplate.ParseFS(templates, "templates/*.txt")
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	html, err := htmltemplate.ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return &wording{text, html}, nil
}

// write returns the three parts of a mail.
func (w *wording) write(kind string, in words) (subject, text, html string, err error) {
	var b bytes.Buffer
	if err := w.text.ExecuteTemplate(&b, kind+".subject", in); err != nil {
		return "", "", "", fmt.Errorf("subject of a mail: %w", err)
	}
	subject = plain(b.String())
	b.Reset()
	if err := w.text.ExecuteTemplate(&b, kind, in); err != nil {
		return "", "", "", fmt.Errorf("text of a mail: %w", err)
	}
	text = strings.TrimSpace(b.String()) + "\n"
	b.Reset()
	if err := w.html.ExecuteTemplate(&b, kind, in); err != nil {
		return "", "", "", fmt.Errorf("HTML of a mail: %w", err)
	}
	return subject, text, b.String(), nil
}

// maxPlain bounds a name in a mail, in characters.
const maxPlain = 200

// plain makes one line of a name that somebody chose: it can start no line of a
// header or of the text by itself, nor turn around what stands beside it.
func plain(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(s, "") {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			r = ' '
		case r == '\u200c', r == '\u200d': // join or part letters, in Persian names for one
		case unicode.Is(unicode.Cf, r), !unicode.IsPrint(r):
			continue
		}
		if n++; n > maxPlain {
			break
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// moment writes a time for people anywhere.
func moment(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006, 15:04 UTC") }
