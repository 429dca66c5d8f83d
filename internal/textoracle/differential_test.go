package textoracle

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// texts are the seeds of the fuzz target and of the mutations.
var texts = []string{
	"",
	"group: \"user-info\"\nkey: \"user_secret\"\n",
	"group: \"g\"\ngroup_version: \"v\"\nkey: \"k\"\nmount_requirement: FILE\nenv_var: \"DB_PASSWORD\"\n",
	`group:'a' "b"'c'key:"\a\b\f\n\r\t\v\?\\\'\"\0\12\377\x4\x41"`,
	`key: "caf\303\251 \u00e9 \U0001f511 \ud83d\udd11 \xF0\x9f\224\221"`,
	`key: "\xff"`,
	`key: "\ud83d" x: "\udd11"`,
	"# comment\ngroup # comment\n : # comment\n \"g\" # comment\n \"h\" ; # end",
	`mount_requirement: 2`,
	`mount_requirement: 0x2,`,
	`mount_requirement: 002;`,
	`mount_requirement: - # zero` + "\n0",
	`mount_requirement: -1`,
	`mount_requirement: 3`,
	`mount_requirement: 2147483648`,
	`mount_requirement: file`,
	`mount_requirement: "FILE"`,
	`mount_requirement FILE`,
	`mount_requirement: [FILE]`,
	`group: "a" group: "b"`,
	`groupVersion: "a" groupVersion: "b" envVar: 1`,
	`1: "a"`, `5: 1`, `6: 1`, `0: 1`, `536870911: 1`, `536870912: 1`, `a { 0: 1 2147483647: 2 }`, `a { 2147483648: 1 }`,
	`x: 1 y: -2 z: 0x1F w: 017 f: 1.5e+3f g: .5 h: -inf i: nan j: true k: 99999999999999999999999`,
	`a { b < c: [ 1, -2.5, "x" 'y', foo, { d: 1; }, < > ] , > ; } key: "k"`,
	`a: { b: [ ] c: [ { } , { } ] } , key: "k" ,`,
	`[foo.bar]: 1 [type.googleapis.com/foo.Bar] { a: 1 } [ a . b / c # x` + "\n" + ` - d ]: 2 [/a]: 3 [%41~!$&()*+,;=/a]: 4`,
	`a: [1, ]`, `a: [1; 2]`, `a: [[1]]`, `a: [1 2]`, `a { , }`, `a { b: 1,, c: 2 }`, `a { b: 1 ; }`, `,`, `a: 1,,`, `a:: 1`,
	`a { b: 1,, c { } }`, `a: [1,, {b: 1}]`, `a { > }`, `a: - foo`, `a: -foo`, `a: --1`, `a: +1`,
	"a: \"\x00\"", "a: \"\n\"", "a: \"\r\t\x7f\"", "a: \"\xff\"", "# \xff\na: 1", "\ufeffa: 1", "a: 1\x00",
}

// An alphabet generates every sequence of its parts up to a length, between before and
// after.
type alphabet struct {
	name          string
	before, after string
	parts         []string
	length        int
}

func TestDecode_AllSequences(t *testing.T) {
	for _, a := range []alphabet{
		{name: "nesting", parts: strings.Split("a : 1 { } < > [ ] , ;", " "), length: 5},
		{name: "nesting with blanks", parts: strings.Split("a_{_}_<_[_]_,_;_a: _[b]: _1 ", "_"), length: 5},
		{name: "known fields", parts: strings.Split(`group|key|mount_requirement|:|"v"|FILE|1|3|,|{|}|[|]`, "|"), length: 4},
		{name: "second known field", before: `key:"k"`, parts: strings.Split(`group|key|:|"v"| |;|#|x`, "|"), length: 5},
		{name: "numbers at the end", before: "x:", parts: strings.Split("0 1 8 x . e f - + _", " "), length: 5},
		{name: "numbers before the end", before: "x:", after: "\n", parts: strings.Split("0 1 8 x . e f - + _", " "), length: 5},
		{name: "numbers with blanks", before: "x:", after: "}", parts: []string{"0", "1", "-", " ", "#c\n", "#", "e", "."}, length: 5},
		{name: "enum numbers", before: "mount_requirement:", parts: []string{"0", "1", "2", "9", "x", "X", "-", " ", "f", "b", "o", "."}, length: 4},
		{name: "field numbers", parts: []string{"0", "1", "6", "-", "x", ":", " ", "."}, length: 5},
		{name: "escapes", before: `group:"`, after: `"`, parts: strings.Split(`\ 0 3 4 7 8 x f a n ? " '`, " "), length: 4},
		{name: "code points", before: `group:"`, after: `"`, parts: strings.Split(`\u \U d83d dd11 0000 0010 1f511 110000 00 \x +1 "`, " "), length: 4},
		{name: "bytes", before: `group:"`, after: `"`, parts: []string{"\xc3", "\xa9", "\ufffd", `\303`, `\251`, "\x00", "\n", "\r", "a", `"`, `" "`, "'"}, length: 4},
		{name: "names in brackets", before: "[", after: "]:1", parts: strings.Split("a . / % 4 1 - ~ ' ] # ,", " "), length: 4},
		{name: "names in brackets with blanks", before: "[ ", parts: []string{"a", ".", " ", "#\n", "/", "]", ":1", "]:1"}, length: 5},
		{name: "separators", parts: []string{"a:1", "a", `"b"`, ",", ";", " ", "#\n", "{", "}"}, length: 5},
	} {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			o := newOracle(t)
			valid, invalid := 0, 0
			a.each(a.length, "", func(text string) {
				if o.compare(t, text) {
					valid++
				} else {
					invalid++
				}
			})
			require.NotZero(t, valid, "no valid text")
			require.NotZero(t, invalid, "no invalid text")
		})
	}
}

// each calls f for every text that starts with the given one.
func (a alphabet) each(length int, text string, f func(string)) {
	f(a.before + text + a.after)
	if length == 0 {
		return
	}
	for _, p := range a.parts {
		a.each(length-1, text+p, f)
	}
}

func TestDecode_Prefixes(t *testing.T) {
	o := newOracle(t)
	for _, text := range texts {
		o.compare(t, text)
		for i := range text {
			o.compare(t, text[:i])
		}
	}
}

func TestDecode_DeepAndLong(t *testing.T) {
	const n = 20_000
	o := newOracle(t)
	for _, text := range []string{
		strings.Repeat("a{", n) + strings.Repeat("}", n) + `key:"k"`,
		strings.Repeat("a{", n) + strings.Repeat("}", n-1),
		strings.Repeat("a:[<", n) + strings.Repeat(">]", n),
		strings.Repeat("a:[<", n) + strings.Repeat("]>", n),
		"a:[" + strings.Repeat("1,", n) + "1]",
		"a:[" + strings.Repeat("1,", n) + "]",
		"key:" + strings.Repeat(`"k"`, n),
		"key:" + strings.Repeat("#\n", n) + `"k"`,
	} {
		o.compare(t, text)
	}
}

func TestDecode_Mutations(t *testing.T) {
	const mutations = 500_000
	o := newOracle(t)
	random := rand.New(rand.NewPCG(1, 2))
	valid := 0
	for range mutations {
		if o.compare(t, mutate(random)) {
			valid++
		}
	}
	require.Greater(t, valid, mutations/20, "too few valid mutations")
}

// mutate joins pieces of two texts and changes up to two bytes.
func mutate(random *rand.Rand) string {
	piece := func() string {
		text := texts[random.IntN(len(texts))]
		from := random.IntN(len(text) + 1)
		if random.IntN(2) == 0 {
			from = 0
		}
		to := from + random.IntN(len(text)-from+1)
		if random.IntN(2) == 0 {
			to = len(text)
		}
		return text[from:to]
	}
	text := []byte(piece() + []string{"", " ", "\n", ",", ";"}[random.IntN(5)] + piece())
	const bytes = "{}<>[]:;,#\"'\\ \n\x00\xff-+._/%0127aefuxUXk"
	for range random.IntN(3) {
		if len(text) > 0 {
			text[random.IntN(len(text))] = bytes[random.IntN(len(bytes))]
		}
	}
	return string(text)
}

func FuzzDecode(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	o := newOracle(f)
	f.Fuzz(func(t *testing.T, text string) { o.compare(t, text) })
}
