package apicheck

import (
	"fmt"
	"go/types"
	"strings"

	"golang.org/x/tools/go/packages"
)

// API maps each symbol, such as "mount.Layout.Dir", to its description.
type API map[string]string

// Load returns the API of the module in dir: of all packages except commands and those in
// folders named internal or examples.
func Load(dir string) (API, error) {
	cfg := &packages.Config{Dir: dir, Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedModule}
	pkgs, err := packages.Load(cfg, "./...")
	if err != nil {
		return nil, err
	}
	api := API{}
	for _, pkg := range pkgs {
		for _, e := range pkg.Errors {
			return nil, e
		}
		name := strings.TrimPrefix(pkg.PkgPath, pkg.Module.Path+"/")
		if pkg.Name == "main" || within(name, "internal") || within(name, "examples") {
			continue
		}
		if err := api.add(pkg.Types, pkg.Module.Path); err != nil {
			return nil, err
		}
	}
	return api, nil
}

func within(path, folder string) bool {
	return strings.Contains("/"+path+"/", "/"+folder+"/")
}

// add adds the symbols of a package of module.
func (api API) add(pkg *types.Package, module string) error {
	s := surface{api: api, pkg: pkg, module: module + "/", seen: map[types.Object]bool{}}
	for _, name := range pkg.Scope().Names() {
		if obj := pkg.Scope().Lookup(name); obj.Exported() {
			s.object(obj)
		}
	}
	return s.err
}

// surface walks the objects of a package that users can reach: exported ones, and the
// unexported types that these mention.
type surface struct {
	api    API
	pkg    *types.Package
	module string // prefix of the module's paths
	seen   map[types.Object]bool
	err    error
}

func (s *surface) object(obj types.Object) {
	if s.seen[obj] {
		return
	}
	s.seen[obj] = true
	switch obj := obj.(type) {
	case *types.Const:
		s.put(obj.Name(), fmt.Sprintf("const %s = %s", s.typ(obj.Type()), obj.Val().ExactString()))
	case *types.Var:
		s.put(obj.Name(), "var "+s.typ(obj.Type()))
	case *types.Func:
		s.put(obj.Name(), "func"+s.signature(obj.Signature()))
	case *types.TypeName:
		s.typeName(obj)
	}
}

func (s *surface) put(symbol, description string) {
	s.api[strings.TrimPrefix(s.pkg.Path(), s.module)+"."+symbol] = description
}

func (s *surface) typeName(obj *types.TypeName) {
	if alias, ok := obj.Type().(*types.Alias); ok {
		s.put(obj.Name(), "type"+s.typeParams(alias.TypeParams())+" = "+s.typ(alias.Rhs()))
		return
	}
	named := obj.Type().(*types.Named)
	s.put(obj.Name(), "type"+s.typeParams(named.TypeParams())+" "+s.underlying(named))
	if st, ok := named.Underlying().(*types.Struct); ok {
		s.fields(named, st, map[*types.Struct]bool{})
	}
	s.methods(named)
}

// underlying describes a type without the fields of structs and the signatures of
// methods, which have separate lines.
func (s *surface) underlying(named *types.Named) string {
	switch u := named.Underlying().(type) {
	case *types.Struct:
		text := "struct"
		if !types.Comparable(u) {
			text += ", not comparable"
		}
		for i := range u.NumFields() {
			if !u.Field(i).Exported() {
				return text + ", with unexported fields"
			}
		}
		return text
	case *types.Interface:
		if !u.IsMethodSet() {
			return s.typ(u)
		}
		methods := make([]string, u.NumMethods()) // sorted, including embedded interfaces' methods
		for i := range methods {
			methods[i] = u.Method(i).Name()
		}
		return "interface {" + strings.Join(methods, ", ") + "}"
	default:
		return s.typ(u)
	}
}

// fields describes the exported fields that can be selected: the struct's own and those
// of embedded structs with an unexported name.
func (s *surface) fields(named *types.Named, st *types.Struct, seen map[*types.Struct]bool) {
	if seen[st] {
		return
	}
	seen[st] = true
	for i := range st.NumFields() {
		field := st.Field(i)
		if !field.Exported() {
			if inner, ok := deref(field.Type()).Underlying().(*types.Struct); ok && field.Embedded() {
				s.fields(named, inner, seen)
			}
			continue
		}
		selected, _, _ := types.LookupFieldOrMethod(named, true, s.pkg, field.Name())
		if selected != types.Object(field) {
			continue // another field or method shadows it
		}
		text := "field " + s.typ(field.Type())
		if field.Embedded() {
			text = "embedded " + s.typ(field.Type())
		}
		if tag := st.Tag(i); tag != "" {
			text += " `" + tag + "`"
		}
		s.put(named.Obj().Name()+"."+field.Name(), text)
	}
}

// methods describes the exported methods, including those of embedded types.
func (s *surface) methods(named *types.Named) {
	var all types.Type = types.NewPointer(named)
	if types.IsInterface(named) {
		all = named
	}
	valueMethods := types.NewMethodSet(named)
	for selection := range types.NewMethodSet(all).Methods() {
		method := selection.Obj().(*types.Func)
		if !method.Exported() {
			continue
		}
		receiver := "*"
		if valueMethods.Lookup(s.pkg, method.Name()) != nil {
			receiver = ""
		}
		s.put(named.Obj().Name()+"."+method.Name(),
			fmt.Sprintf("method (%s%s) func%s", receiver, named.Obj().Name(), s.signature(method.Signature())))
	}
}

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}
