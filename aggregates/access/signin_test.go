package access_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"waybill/aggregates/access"
	"waybill/events/fault"
)

const secret = "correct horse battery"

func TestEveryFailedSignInGetsTheSameAnswerAfterTheSameWork(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.password(t, b.user(t, "adam@example.com", access.RoleManager), "adam@example.com", secret)
	b.user(t, "no-password@example.com", access.RoleManager)
	blocked := b.user(t, "blocked@example.com", access.RoleManager)
	b.password(t, blocked, "blocked@example.com", secret)
	b.exec(t, `UPDATE read.users SET blocked = true WHERE user_id = $1`, blocked.User)
	b.exec(t, `DELETE FROM read.users WHERE user_id = $1`, b.user(t, "no-membership@example.com", access.RoleManager).User)

	members, err := b.SignIn(t.Context(), " Adam@Example.COM ", secret)
	if err != nil || len(members) != 1 || members[0].Organisation != "Acme" {
		t.Fatalf("the right password: %v, %v", members, err)
	}
	var texts []string
	for _, tc := range [][2]string{
		{"adam@example.com", "wrong horse"}, {"nobody@example.com", secret}, {"no-password@example.com", secret}, {"blocked@example.com", secret},
		{"no-membership@example.com", secret}, {"no address", secret}, {"", ""}, {"adam@example.com", strings.Repeat("x", 5000)},
	} {
		before := b.HashesComputed()
		_, err := b.SignIn(t.Context(), tc[0], tc[1])
		if !fault.Is(err, fault.Unauthenticated) {
			t.Fatalf("%s: %v, want unauthenticated", tc[0], err)
		}
		texts = append(texts, fmt.Sprintf("%#v", *errAs(t, err)))
		// The hash is nearly all of the time that an answer takes.
		if n := b.HashesComputed() - before; n != 1 {
			t.Errorf("%s: %d hashes were computed, want 1 for everybody: the time tells them apart", tc[0], n)
		}
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("answers differ: %s and %s", text, texts[0])
		}
	}
}

func errAs(t *testing.T, err error) *fault.Error {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no fault", err)
	}
	return e
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		password string
		good     bool
	}{
		{"", false}, {"1234567", false}, {"12345678", false}, {"密码密码密码密码", true}, {"密码密码密码", false},
		{strings.Repeat("a", 64), true}, {strings.Repeat("a", 1024), true}, {strings.Repeat("a", 1025), false}, {"\xff\xfe\xfd12345678", false},
		{"        ", true}, // no composition rules, and blanks are characters
	} {
		if err := access.CheckPassword(tc.password, "adam@example.com"); (err == nil) != tc.good || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("password of %d bytes: %v, want good = %v", len(tc.password), err, tc.good)
		}
	}
}

func TestWhatIsTriedFirstIsNoPassword(t *testing.T) {
	t.Parallel()
	const email = "adam.smith-jones@apple-fruits.example.com"
	for _, bad := range []string{
		"password", "PASSWORD", "Password1", "p@ssw0rd1!", "passwordpassword", "12345678", "87654321", "1234567890", "qwertyuiop", "Qwerty123!", "1q2w3e4r",
		"asdfghjkl", "aaaaaaaa", "aaaabbbb", "11111111", "abcd1234", "Summer2026!", "letmein99", "iloveyou!", "let me in", "waybill2026", "Waybill!Waybill",
		"adam2026", "smithjones1", "Adam Smith", "applefruits!", "AppleFruits7", "adam.smith-jones", "w4ybill99", "trustno1", "welcome\u0661\u0662",
		"ｐａｓｓｗｏｒｄ",
	} {
		if err := access.CheckPassword(bad, email); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v, want invalid", bad, err)
		}
	}
	for _, good := range []string{
		"correct horse battery", "summer rain on tin", "adam eats seven plums", "waybill for the moon", "xk7#pq2m", "密码密码密码密码", "a\nlong\nword", "tiger-anvil-nine",
		"8391027465", "zq9!zq9!Lm", "passwords are a nuisance",
	} {
		if err := access.CheckPassword(good, email); err != nil {
			t.Errorf("%q: %v, want it taken", good, err)
		}
	}
}

func TestAPasswordIsTheSameFromEveryKeyboard(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.password(t, b.user(t, "zoe@example.com", access.RoleManager), "zoe@example.com", "Zo\u00eb Zo\u00eb Zo\u00eb")
	if _, err := b.SignIn(t.Context(), "zoe@example.com", "Zoe\u0308 Zoe\u0308 Zoe\u0308"); err != nil {
		t.Errorf("composed and decomposed letters must be the same password: %v", err)
	}
}

func TestOneIdentityPerNormalisedEmail(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	const n = 16
	ids := make(chan string, n)
	for i := range n {
		go func() {
			id, err := b.Ensure(t.Context(), []string{"Ann@Example.com", " ann@example.com", "ＡＮＮ@example.com"}[i%3])
			if err != nil {
				ids <- err.Error()
				return
			}
			ids <- id.String()
		}()
	}
	first := <-ids
	for range n - 1 {
		if id := <-ids; id != first {
			t.Errorf("got %s and %s for one e-mail", first, id)
		}
	}
	for _, bad := range []string{"", "ann", "@example.com", "ann@", "a@b@c", "a b@example.com", "a\n@example.com", strings.Repeat("a", 250) + "@b.cd"} {
		if _, err := b.Ensure(t.Context(), bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v, want invalid", bad, err)
		}
	}
}
