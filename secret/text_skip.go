package secret

// closers maps the first character of a message or list to its closing
// character.
var closers = [256]byte{'{': '}', '<': '>', '[': ']'}

// skipValue skips the value of an unknown field: a scalar, a message in {} or
// <>, or a list in [] of scalars and messages. Like prototext, it does not limit
// nesting. Unlike prototext, it accepts any number of separators, and any word
// as a number: the value has no meaning here.
func (s *scanner) skipValue() error {
	var open []byte // closing characters, innermost last
	for {
		if closer := closers[s.peek()]; closer != 0 {
			s.advance(1)
			open = append(open, closer)
		} else if err := s.skipScalar(); err != nil {
			return err
		}
		for len(open) > 0 {
			for s.eatAny(",;") {
			}
			if !s.eat(open[len(open)-1]) {
				break
			}
			open = open[:len(open)-1]
		}
		switch {
		case len(open) == 0:
			return nil
		case open[len(open)-1] == ']': // a list has no names
			continue
		}
		if _, err := s.fieldName(); err != nil {
			return err
		}
		s.eat(':')
	}
}

// skipScalar skips a string, a number or an identifier. Spaces may follow a minus
// sign.
func (s *scanner) skipScalar() error {
	if s.atQuote() {
		_, err := s.quoted()
		return err
	}
	s.eat('-')
	word := s.word()
	if word == "" {
		return s.unexpected()
	}
	s.advance(len(word))
	return nil
}
