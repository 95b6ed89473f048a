package access

import (
	_ "embed"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// commonWords are what people make passwords of when they have to make one, a
// word or a pattern per line, in small letters.
//
//go:embed common_passwords.txt
var commonWords string

func isWord(p string) bool {
	return p != "" && !strings.Contains(p, "\n") && strings.Contains("\n"+commonWords, "\n"+p+"\n")
}

// ownWord is the word that a password for this program is likeliest made of.
const ownWord = "waybill"

// isCommon reports whether a password is among the first that somebody guesses: a
// common word or pattern, or one of the account's own words, as it is or with
// what people put around it (capitals, digits for letters, a year, a mark).
func isCommon(password, email string) bool {
	p := strings.ToLower(norm.NFKC.String(password))
	own := ownWords(email)
	if isRow(p) || madeOf(p, own) || madeOf(leet.Replace(p), own) {
		return true
	}
	for _, core := range [...]string{p, strings.TrimRightFunc(p, notLetter), strings.TrimFunc(p, notLetter)} {
		if len(p)-len(core) > maxDecoration {
			continue
		}
		for _, form := range [...]string{core, leet.Replace(core)} {
			if isWord(form) || isWord(strings.ReplaceAll(form, " ", "")) || isTwice(form) {
				return true
			}
		}
	}
	return false
}

// isTwice reports whether p is a common word said twice or more.
func isTwice(p string) bool {
	for n := 3; n <= len(p)/2; n++ {
		if len(p)%n == 0 && strings.Repeat(p[:n], len(p)/n) == p && isWord(p[:n]) {
			return true
		}
	}
	return false
}

// maxDecoration is how much may stand around a word for it to be still just that
// word, in bytes: "summer" with "2026!".
const maxDecoration = 6

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// leet is what is written for letters.
var leet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// ownWords returns the parts of an e-mail that are long enough to be words, and
// this program's name.
func ownWords(email string) []string {
	own := []string{ownWord}
	name, domain, _ := strings.Cut(strings.ToLower(norm.NFKC.String(email)), "@")
	if dot := strings.LastIndexByte(domain, '.'); dot >= 0 {
		domain = domain[:dot] // the last label says nothing
	}
	for _, whole := range [...]string{name, domain} {
		parts := strings.FieldsFunc(whole, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, part := range append(parts, whole, strings.Join(parts, "")) {
			if len(part) >= minOwnWord {
				own = append(own, part)
			}
		}
	}
	return own
}

// minOwnWord is how long a part of an e-mail must be to count, in bytes.
const minOwnWord = 3

// madeOf reports whether hardly anything is left of p without the account's own
// words, of which there must be one.
func madeOf(p string, own []string) bool {
	// The longest first, since others are parts of it.
	for len(own) > 0 {
		longest := 0
		for i, w := range own {
			if len(w) > len(own[longest]) {
				longest = i
			}
		}
		w := own[longest]
		own = append(own[:longest:longest], own[longest+1:]...)
		p = strings.ReplaceAll(p, w, "\x00")
	}
	if !strings.Contains(p, "\x00") {
		return false
	}
	rest := strings.Map(func(r rune) rune {
		if r == 0 || unicode.IsSpace(r) || unicode.IsPunct(r) {
			return -1
		}
		return r
	}, p)
	return len(rest) <= maxDecoration
}

// rows are the orders in which keys and characters stand.
var rows = [...]string{
	"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop",
	"1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgbyhnujmikolp", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol",
	"qweasdzxc", "!@#$%^&*()",
}

// isRow reports whether p is made of runs along rows, forwards, backwards or on
// one character, and of few of them: "12345678", "qwertyuiop", "aaaabbbb".
func isRow(p string) bool {
	chars := []rune(p)
	if len(chars) > 32 {
		return false // nobody guesses how long it goes on
	}
	runs := 0
	for len(chars) > 0 {
		n := longestRun(chars)
		if n < 3 {
			return false
		}
		chars = chars[n:]
		runs++
	}
	return runs > 0 && runs <= 3
}

// longestRun returns how many characters at the start stand in a row.
func longestRun(chars []rune) int {
	n := 1
	for n < len(chars) && chars[n] == chars[0] && !unicode.IsSpace(chars[0]) {
		n++
	}
	for _, row := range rows {
		n = max(n, along(chars, []rune(row), 1), along(chars, []rune(row), -1))
	}
	return n
}

// along returns how many characters at the start follow a row.
func along(chars, row []rune, step int) int {
	best := 0
	for start := range row {
		n := 0
		for at := start; n < len(chars) && at >= 0 && at < len(row) && row[at] == chars[n]; at += step {
			n++
		}
		best = max(best, n)
	}
	return best
}
