package apicheck

import (
	"fmt"
	"go/types"
	"strings"
)

// typ formats a type as types.TypeString does, but without parameter names, which may
// change. Packages of other modules have their full path. Unexported types that it meets
// join the surface.
func (s *surface) typ(t types.Type) string {
	switch t := t.(type) {
	case *types.Alias:
		return s.name(t.Obj(), t.TypeArgs())
	case *types.Named:
		return s.name(t.Obj(), t.TypeArgs())
	case *types.Pointer:
		return "*" + s.typ(t.Elem())
	case *types.Slice:
		return "[]" + s.typ(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), s.typ(t.Elem()))
	case *types.Map:
		return fmt.Sprintf("map[%s]%s", s.typ(t.Key()), s.typ(t.Elem()))
	case *types.Chan:
		return [...]string{"chan ", "chan<- ", "<-chan "}[t.Dir()] + "(" + s.typ(t.Elem()) + ")"
	case *types.Signature:
		return "func" + s.signature(t)
	default: // basic types, type parameters, and literals of structs and interfaces
		return types.TypeString(t, types.RelativeTo(s.pkg))
	}
}

func (s *surface) name(obj *types.TypeName, args *types.TypeList) string {
	text := obj.Name()
	switch pkg := obj.Pkg(); {
	case pkg == s.pkg:
		if !obj.Exported() && obj.Parent() == pkg.Scope() {
			s.object(obj)
		}
	case pkg != nil:
		text = strings.TrimPrefix(pkg.Path(), s.module) + "." + text
		if within(pkg.Path(), "internal") && s.err == nil {
			s.err = fmt.Errorf("%s exposes %s, whose changes this check would not see", s.pkg.Path(), text)
		}
	}
	if args.Len() == 0 {
		return text
	}
	texts := make([]string, args.Len())
	for i := range texts {
		texts[i] = s.typ(args.At(i))
	}
	return text + "[" + strings.Join(texts, ", ") + "]"
}

// signature formats a function's type without the word func.
func (s *surface) signature(sig *types.Signature) string {
	params := s.tuple(sig.Params())
	if sig.Variadic() {
		last := &params[len(params)-1]
		*last = "..." + strings.TrimPrefix(*last, "[]")
	}
	results := strings.Join(s.tuple(sig.Results()), ", ")
	if sig.Results().Len() > 1 {
		results = "(" + results + ")"
	}
	return strings.TrimSuffix(s.typeParams(sig.TypeParams())+"("+strings.Join(params, ", ")+") "+results, " ")
}

func (s *surface) tuple(vars *types.Tuple) []string {
	texts := make([]string, vars.Len())
	for i := range texts {
		texts[i] = s.typ(vars.At(i).Type())
	}
	return texts
}

func (s *surface) typeParams(list *types.TypeParamList) string {
	if list.Len() == 0 {
		return ""
	}
	texts := make([]string, list.Len())
	for i := range texts {
		param := list.At(i)
		texts[i] = param.Obj().Name() + " " + s.typ(param.Constraint())
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
