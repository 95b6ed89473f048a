package remote

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// Secret is a key that is not printed by mistake. The zero value is none.
type Secret struct{ text string }

// NewSecret returns the secret of a text, without space around it. Errors, which
// do not repeat the text: [*UsageError].
func NewSecret(text string) (Secret, error) {
	text = strings.TrimSpace(text)
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return Secret{}, usage("the key holds a character that no key has: is it one key, and nothing else?")
		}
	}
	return Secret{text}, nil
}

// IsZero reports whether it is none.
func (s Secret) IsZero() bool { return s.text == "" }

// String hides the secret, from fmt as well.
func (s Secret) String() string { return "(hidden)" }

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

func (s Secret) reveal() string { return s.text }

// maxLine bounds a secret in a file, in bytes.
const maxLine = 8 << 10

// ReadLine returns the first line of a file, or of stdin when the file is called
// "-". Flag is what named the file, for errors: [*UsageError].
func ReadLine(flag, file string, stdin io.Reader) (string, error) {
	from := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", usage("%s: %v", flag, err)
		}
		defer f.Close()
		from = f
	}
	line, err := bufio.NewReaderSize(io.LimitReader(from, maxLine), maxLine).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usage("%s: its first line is empty", flag)
	}
	return line, nil
}
