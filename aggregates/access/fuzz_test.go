package access

import (
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func FuzzNormaliseEmail(f *testing.F) {
	for _, seed := range []string{"Ann@Example.com", " ann@example.com ", "ＡＮＮ@example.com", "a@b@c", "", "@", "ß@example.com", "İ@example.com", "a\u0300@x.y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, email string) {
		once, err := NormaliseEmail(email)
		if err != nil || !utf8.ValidString(email) {
			return
		}
		twice, err := NormaliseEmail(once)
		if err != nil || twice != once {
			t.Errorf("%q becomes %q and that becomes %q, %v: no normal form", email, once, twice, err)
		}
		if !norm.NFKC.IsNormalString(once) {
			t.Errorf("%q is not in NFKC", once)
		}
	})
}

func FuzzStoredHash(f *testing.F) {
	for _, seed := range []string{"", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAA", "$$$$$", "$argon2id$v=19$m=0,t=0,p=0$$"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		p, err := parseHash(encoded)
		if err == nil && (p.memory == 0 || p.passes == 0 || p.lanes == 0 || len(p.salt) < 8 || len(p.key) < 16) {
			t.Errorf("%q was taken", encoded)
		}
	})
}
