package yamledit

// blockScalar reads a scalar that begins with "|" or ">", in a collection at the column
// parent.
func (r *reader) blockScalar(parent int) (*Node, error) {
	n := &Node{Start: r.pos, content: r.pos, style: literal}
	if r.at(r.pos) == '>' {
		n.style = folded
	}
	keep, indent, err := r.blockHeader(parent)
	if err != nil {
		return nil, err
	}
	n.End = r.headerEnd()
	if r.pos < r.end {
		r.readLine(nil)
	}
	s := scalarLines{literal: n.style == literal}
	afterBreaks := r.blankLines(&indent, parent, &s)
	for r.pos < r.end && r.column() == indent {
		s.begin(r.isBlank(r.pos))
		start := r.pos
		for r.pos < r.end && r.lineBreak(r.pos) == 0 {
			r.pos++
		}
		s.text = append(s.text, r.text[start:r.pos]...)
		n.End = r.pos
		s.first = r.readLine(s.first)
		afterBreaks = r.blankLines(&indent, parent, &s)
	}
	if keep >= 0 {
		s.text = append(s.text, s.first...)
	}
	if keep > 0 {
		s.text = append(s.text, s.more...)
		if len(s.more) > 0 {
			n.End = afterBreaks
		}
	}
	n.text = string(s.text)
	return n, nil
}

// blockHeader reads the line of "|" or ">". keep says what happens to final line breaks
// (-1 strip, 1 keep); indent is the text's column, 0 if the text determines it.
func (r *reader) blockHeader(parent int) (keep, indent int, err error) {
	for r.pos++; !r.isBlankOrEnd(r.pos); r.pos++ {
		switch c := r.at(r.pos); {
		case c == '+':
			keep = 1
		case c == '-':
			keep = -1
		case c >= '1' && c <= '9':
			indent = max(parent, 0) + int(c-'0')
		default:
			return 0, 0, r.errorf(r.pos, "unexpected %q after \"|\" or \">\"", c)
		}
	}
	return keep, indent, nil
}

// headerEnd skips the rest of the header's line, a comment, and returns where the header
// ends.
func (r *reader) headerEnd() int {
	end := r.pos
	for r.pos < r.end && r.lineBreak(r.pos) == 0 {
		r.pos++
	}
	return end
}

// scalarLines collects the lines of a block scalar.
type scalarLines struct {
	literal     bool
	text        []byte
	first, more []byte // pending line breaks
	blank       bool   // the last line began with a blank
}

// begin adds pending line breaks before the next line.
func (s *scalarLines) begin(blank bool) {
	switch {
	case !s.literal && !s.blank && !blank && len(s.first) > 0 && s.first[0] == '\n':
		if len(s.more) == 0 {
			s.text = append(s.text, ' ')
		}
	default:
		s.text = append(s.text, s.first...)
	}
	s.text = append(s.text, s.more...)
	s.first, s.more, s.blank = s.first[:0], s.more[:0], blank
}

// blankLines skips indentation and empty lines, and sets the text's column if it is
// unknown. It returns where the last of these lines ends, before its line break.
func (r *reader) blankLines(indent *int, parent int, s *scalarLines) (end int) {
	deepest := 0
	end = r.pos
	for {
		for (*indent == 0 || r.column() < *indent) && r.at(r.pos) == ' ' {
			r.pos++
		}
		deepest = max(deepest, r.column())
		if r.lineBreak(r.pos) == 0 {
			break
		}
		end = r.pos
		s.more = r.readLine(s.more)
	}
	if *indent == 0 {
		*indent = max(deepest, parent+1, 1)
	}
	return end
}
