package yamledit

import (
	"math"
	"strconv"
	"strings"
)

// Equal reports whether a and b have the same meaning. The order of fields and the
// spelling of numbers do not matter.
func Equal(a, b *Value) bool {
	switch {
	case a == b:
		return true
	case a == nil || b == nil:
		return a.IsNull() && b.IsNull()
	case a.kind != b.kind || len(a.items) != len(b.items) || len(a.fields) != len(b.fields):
		return false
	case a.kind == number:
		return sameNumber(a.text, b.text)
	case a.text != b.text:
		return false
	}
	for i := range a.items {
		if !Equal(a.items[i], b.items[i]) {
			return false
		}
	}
	return sameFields(a.fields, b)
}

// sameFields first compares by position, because most fields are in the same order.
func sameFields(fields []Field, b *Value) bool {
	var byName map[string]*Value
	for i, f := range fields {
		if g := b.fields[i]; g.Name == f.Name {
			if !Equal(f.Value, g.Value) {
				return false
			}
			continue
		}
		if byName == nil {
			byName = make(map[string]*Value, len(b.fields))
			for _, g := range b.fields {
				byName[g.Name] = g.Value
			}
		}
		g, ok := byName[f.Name]
		if !ok || !Equal(f.Value, g) {
			return false
		}
	}
	return true
}

// sameNumber compares two JSON numbers: exactly, or rounded as kubectl's reader rounds
// numbers that are not 64-bit integers. Its time is linear in their length, whatever the
// exponents.
func sameNumber(a, b string) bool {
	if a == b || canonical(a) == canonical(b) {
		return true
	}
	if isInteger(a) && isInteger(b) {
		return false
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y && !math.IsInf(x, 0)
}

func isInteger(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	_, errU := strconv.ParseUint(s, 10, 64)
	return err == nil || errU == nil
}

// decimalNumber is a number's canonical form: digits without leading or trailing zeros,
// and the exponent of the last digit.
type decimalNumber struct {
	negative bool
	digits   string
	exponent int64
}

func canonical(s string) (d decimalNumber) {
	s, d.negative = strings.CutPrefix(s, "-")
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.ParseInt(s[i+1:], 10, 64)
		if err != nil || e > math.MaxInt64/2 || e < math.MinInt64/2 {
			return decimalNumber{digits: s} // equal only to the same text
		}
		s, d.exponent = s[:i], e
	}
	whole, fraction, _ := strings.Cut(s, ".")
	d.exponent -= int64(len(fraction))
	digits := strings.TrimLeft(whole+fraction, "0")
	d.digits = strings.TrimRight(digits, "0")
	d.exponent += int64(len(digits) - len(d.digits))
	if d.digits == "" {
		return decimalNumber{} // zero
	}
	return d
}
