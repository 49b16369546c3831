import type { FileService } from '../files/service.ts';
import type { UploadService } from '../files/upload-service.ts';
import { RpcDatasets } from './client.ts';
import type { DatasetsStub } from './client.ts';
import type { DatasetsHost } from './host.ts';
import { DatasetService } from './service.ts';

interface Parts {
  readonly namespace: DurableObjectNamespace<DatasetsHost<unknown>>;
  readonly files: FileService;
  readonly uploads: UploadService;
}

/** Puts the service together. */
export function makeDatasetService({ namespace, files, uploads }: Parts): DatasetService {
  // What the RPC types make of the method is wider than what it is.
  const stub = (workspaceId: string) => namespace.getByName(workspaceId) as unknown as DatasetsStub;
  return new DatasetService({ datasets: new RpcDatasets(stub), files, uploads });
}
