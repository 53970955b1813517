// A photo as it is sent: upright, at most 1600 pixels wide or high, JPEG, named by its SHA-256. Of a paper the letters stay readable.

const mostPixels = 1600;
const quality = 0.82;

/** Makes a photo smaller on the device; what the browser cannot read as a picture throws. Position and other notes of the camera are left out. */
export async function shrink(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, mostPixels / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob === null ? reject(new Error("no JPEG")) : resolve(blob)), "image/jpeg", quality));
}
