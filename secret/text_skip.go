package secret

// skipValue skips the value of an unknown field: a scalar, a message in {} or
// <>, or a list in [] of scalars and messages. Nesting has no limit, as
// prototext has none here.
func (s *scanner) skipValue() error {
	// What closes the messages and lists that are open, the innermost last.
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

// closers say what closes a message or a list that begins with the index.
var closers = [256]byte{'{': '}', '<': '>', '[': ']'}

// enter skips a scalar, or goes into the message or list that begins here and
// appends what closes it.
func (s *scanner) enter(open []byte) ([]byte, error) {
	closer := closers[s.peek()]
	if closer == 0 {
		return open, s.skipScalar()
	}
	if closer == ']' && len(open) > 0 && open[len(open)-1] == ']' {
		return open, s.errorf("a list in a list")
	}
	s.advance(1)
	return append(open, closer), nil
}

// nextValue goes to the next value in the message or list that closer ends, or
// past closer if there is none (more is false). first: no value has been there
// yet. A message may leave its separators out or end in one, a list may not.
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

// skipScalar skips a string, a number, or an identifier, which may have a minus
// (-inf).
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
