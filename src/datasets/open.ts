import { R2FileBucket } from '../files/bucket.ts';
import { DatasetsObject } from './object.ts';

/** The tables in the storage of an object. */
export function openDatasets(storage: DurableObjectStorage, bucket: R2Bucket): DatasetsObject {
  return new DatasetsObject(storage, new R2FileBucket(bucket));
}
