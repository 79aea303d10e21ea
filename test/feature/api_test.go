/*
Copyright 2026 The RAUTA Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package feature

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/test/fixture"
)

// vocabulary is what rules of routes say, or can say: fields as "Type.Field", values of enumerations as "Type=value", and filters
// where they stand, as "HTTPBackendRef.Filters=CORS".
type vocabulary map[string]bool

// unserved are refused as a whole, of which there is a case each: nothing is to be said of what is in them.
var unserved = []reflect.Type{reflect.TypeFor[gatewayv1.SessionPersistence](), reflect.TypeFor[gatewayv1.HTTPExternalAuthFilter]()}

// TestVocabularyIsWhole fails when the API has a field, a match, a filter or a place for one of which no case tells what becomes of
// requests.
func TestVocabularyIsWhole(t *testing.T) {
	possible, used := vocabulary{}, vocabulary{}
	values := enumerations(t)
	possible.learn(reflect.TypeFor[gatewayv1.HTTPRouteRule](), values)
	possible.learn(reflect.TypeFor[gatewayv1.GRPCRouteRule](), values)
	for _, c := range allHTTPCases() {
		used.hear(reflect.ValueOf(c.rules))
	}
	for _, c := range allGRPCCases() {
		used.hear(reflect.ValueOf(c.rules))
	}
	for _, known := range []string{"HTTPRouteRule.Retry", "PathMatchType=RegularExpression", "GRPCBackendRef.Filters=RequestMirror"} {
		if !possible[known] {
			t.Errorf("the API seems to lack %s: what reads it is broken", known)
		}
	}
	var unsaid []string
	for word := range possible {
		if !used[word] {
			unsaid = append(unsaid, word)
		}
	}
	slices.Sort(unsaid)
	if diff := cmp.Diff([]string(nil), unsaid); diff != "" {
		t.Errorf("no case of httpCases, httpFilterCases, grpcCases or grpcFilterCases says (-want +got):\n%s", diff)
	}
}

// enumerations reads the API's sources: constants by the name of their type.
func enumerations(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(fixture.ModuleDirectory(t, "sigs.k8s.io/gateway-api"), "apis", "v1", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources of the API: %v", err)
	}
	values := map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			constants, is := declaration.(*ast.GenDecl)
			if !is || constants.Tok != token.CONST {
				continue
			}
			for _, spec := range constants.Specs {
				ofType, value := constant(spec.(*ast.ValueSpec))
				values[ofType] = append(values[ofType], value)
			}
		}
	}
	return values
}

// constant gives the type and the value of a constant that is a string of a named type.
func constant(spec *ast.ValueSpec) (ofType, value string) {
	name, named := spec.Type.(*ast.Ident)
	if !named || len(spec.Values) != 1 {
		return "", ""
	}
	literal, is := spec.Values[0].(*ast.BasicLit)
	if !is || literal.Kind != token.STRING {
		return "", ""
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return "", ""
	}
	return name.Name, value
}

// learn adds what can be said with a type.
func (v vocabulary) learn(t reflect.Type, values map[string][]string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		v.learn(t.Elem(), values)
	case reflect.String:
		for _, value := range values[t.Name()] {
			v[t.Name()+"="+value] = true
		}
	case reflect.Struct:
		if !strings.HasSuffix(t.PkgPath(), "gateway-api/apis/v1") || slices.Contains(unserved, t) {
			return
		}
		for i := range t.NumField() {
			field := t.Field(i)
			word := t.Name() + "." + field.Name
			if v[word] {
				continue
			}
			v[word] = true
			v.learn(field.Type, values)
			if field.Name == "Filters" {
				kind, _ := field.Type.Elem().FieldByName("Type")
				for _, value := range values[kind.Type.Name()] {
					v[word+"="+value] = true
				}
			}
		}
	}
}

// hear adds what is said.
func (v vocabulary) hear(value reflect.Value) {
	switch value.Kind() {
	case reflect.Pointer:
		v.hear(value.Elem())
	case reflect.Slice:
		for i := range value.Len() {
			v.hear(value.Index(i))
		}
	case reflect.String:
		v[value.Type().Name()+"="+value.String()] = true
	case reflect.Struct:
		for i := range value.NumField() {
			field, name := value.Field(i), value.Type().Field(i).Name
			if field.IsZero() {
				continue
			}
			word := value.Type().Name() + "." + name
			v[word] = true
			v.hear(field)
			for j := 0; name == "Filters" && j < field.Len(); j++ {
				v[word+"="+field.Index(j).FieldByName("Type").String()] = true
			}
		}
	}
}
