// @exadel/compreface-js-sdk, set up by host, port and key alone.

import { relative } from "node:path";
import { CompreFace } from "@exadel/compreface-js-sdk";
import { converse, Picture, SETTINGS } from "./dialogue.mjs";

const service = new CompreFace(SETTINGS.host, SETTINGS.port);
const recognition = service.initFaceRecognitionService(SETTINGS.key);
const verification = service.initFaceVerificationService(SETTINGS.key);
const detection = service.initFaceDetectionService(SETTINGS.key);

// Each is asked for anew: the client's own appends to its address at every call.
const examples = () => recognition.getFaceCollection();
const subjects = () => recognition.getSubjects();

// The client takes a path for one only when it begins with a dot. A text is sent on as it is: base64, in JSON.
const file = (image) => (image instanceof Picture ? `./${relative(process.cwd(), image.path)}` : image);

converse(
  {
    recognize: ({ image, ...options }) => recognition.recognize(file(image), options),
    verify: ({ source_image, target_image, ...options }) =>
      verification.verify(file(source_image), file(target_image), options),
    detect: ({ image, ...options }) => detection.detect(file(image), options),
    add_subject: ({ subject }) => subjects().add(subject),
    list_subjects: () => subjects().list(),
    rename_subject: ({ subject, new_name }) => subjects().rename(subject, new_name),
    delete_subject: ({ subject }) => subjects().delete(subject),
    delete_all_subjects: () => subjects().deleteAll(),
    add_example: ({ image, subject, ...options }) => examples().add(file(image), subject, options),
    list_examples: () => examples().list(),
    verify_example: ({ image, image_id, ...options }) => examples().verify(file(image), image_id, options),
    delete_example: ({ image_id }) => examples().delete(image_id),
    delete_many_examples: ({ image_ids }) => examples().delete_multiple_images(image_ids),
    delete_examples: ({ subject }) => examples().delete_all_subject(subject),
    delete_all_examples: () => examples().delete_all(),
  },
  (error) => error.response?.data?.code,
);
