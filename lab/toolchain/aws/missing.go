package main

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// withTable answers for what is not in the table, before the bridge does in words of its own.
type withTable struct {
	rpc.ResourceProviderServer
	types table
}

func (s withTable) knows(urn string) error {
	token := string(resource.URN(urn).Type())
	if _, ok := s.types.Resources[token]; !ok {
		return missing(token, "resources")
	}
	return nil
}

func (s withTable) Check(
	ctx context.Context, request *rpc.CheckRequest,
) (*rpc.CheckResponse, error) {
	if err := s.knows(request.GetUrn()); err != nil {
		return nil, err
	}
	return s.ResourceProviderServer.Check(ctx, request)
}

func (s withTable) Diff(ctx context.Context, request *rpc.DiffRequest) (*rpc.DiffResponse, error) {
	if err := s.knows(request.GetUrn()); err != nil {
		return nil, err
	}
	return s.ResourceProviderServer.Diff(ctx, request)
}

func (s withTable) Read(ctx context.Context, request *rpc.ReadRequest) (*rpc.ReadResponse, error) {
	if err := s.knows(request.GetUrn()); err != nil {
		return nil, err
	}
	return s.ResourceProviderServer.Read(ctx, request)
}

func (s withTable) Delete(ctx context.Context, request *rpc.DeleteRequest) (*emptypb.Empty, error) {
	if err := s.knows(request.GetUrn()); err != nil {
		return nil, err
	}
	return s.ResourceProviderServer.Delete(ctx, request)
}

func (s withTable) Invoke(
	ctx context.Context, request *rpc.InvokeRequest,
) (*rpc.InvokeResponse, error) {
	if _, ok := s.types.Functions[request.GetTok()]; !ok {
		return nil, missing(request.GetTok(), "functions")
	}
	return s.ResourceProviderServer.Invoke(ctx, request)
}
