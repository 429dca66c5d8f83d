package secret

// skipValue skips the value of an unknown field: a scalar, a message in {} or
// <>, or a list in [] of scalars and messages. Nesting is not limited, as in
// prototext.
func (s *scanner) skipValue() error {
	// open is a stack of closing characters, innermost last.
	open, err := s.enter(nil)
	for first := true; err == nil && len(open) > 0; {
		depth := len(open)
		var more bool
		more, err = s.nextValue(open[depth-1], first)
		switch {
		case err != nil:
		case more:
			open, err = s.enter(open)
		default:
			open = open[:depth-1]
		}
		first = len(open) > depth
	}
	return err
}

// closers maps the first character of a message or list to its closing
// character.
var closers = [256]byte{'{': '}', '<': '>', '[': ']'}

// enter skips a scalar, or enters a message or list and pushes its closing
// character.
func (s *scanner) enter(open []byte) ([]byte, error) {
	closer := closers[s.peek()]
	if closer == 0 {
		return open, s.skipScalar()
	}
	if closer == ']' && len(open) > 0 && open[len(open)-1] == ']' {
		return open, s.errorf("nested list")
	}
	s.advance(1)
	return append(open, closer), nil
}

// nextValue moves to the next value in the message or list that closer ends. If
// there is none it moves past closer, and more is false. first means that no
// value came before. A message may omit separators or end in one; a list may
// not.
func (s *scanner) nextValue(closer byte, first bool) (more bool, err error) {
	if closer == ']' {
		switch {
		case !first && s.eat(','):
			return true, nil
		case s.eat(']'):
			return false, nil
		case !first:
			return false, s.unexpected()
		}
		return true, nil
	}
	if !first {
		s.eatAny(",;")
	}
	if s.eat(closer) {
		return false, nil
	}
	if _, err := s.fieldName(); err != nil {
		return false, err
	}
	s.eat(':')
	return true, nil
}

// skipScalar skips a string, a number, or an identifier with an optional minus
// sign (-inf).
func (s *scanner) skipScalar() error {
	if s.atQuote() {
		_, err := s.quoted()
		return err
	}
	word := s.word()
	if word != "" && (isIdent(word) || word[0] == '-' && isIdent(word[1:])) {
		s.advance(len(word))
		return nil
	}
	_, _, err := s.number()
	return err
}
