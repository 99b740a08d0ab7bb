import { loadSync } from '@grpc/proto-loader';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { join } from 'node:path';
import { packageRoot } from '../../core/paths.js';
import type { ProtoGrpcType as CoordinatorTypes } from './generated/coordinator.js';
import type { CoordinatorDefinition } from './generated/lockstep/v1/Coordinator.js';
import type { ExchangeDefinition } from './generated/lockstep/v1/Exchange.js';
import type { ProtoGrpcType as ExchangeTypes } from './generated/exchange.js';

// The same options as in scripts/proto.mjs, which generates the types.
const definition = loadSync(['coordinator.proto', 'exchange.proto'], {
  includeDirs: [join(packageRoot, 'proto')],
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

const types = loadPackageDefinition(definition) as unknown as CoordinatorTypes & ExchangeTypes;

export const CoordinatorClient = types.lockstep.v1.Coordinator;
export const coordinatorService: CoordinatorDefinition = types.lockstep.v1.Coordinator.service;

/** `Exchange`, of which we write and read frames by hand: frame-codec.ts, exchange-server.ts. */
export const exchangeProtoService: ExchangeDefinition = types.lockstep.v1.Exchange.service;
