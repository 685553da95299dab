FROM busybox AS other
RUN mkdir /made && echo made > /made/file
FROM busybox
RUN --mount=type=bind,from=other,source=/made,target=/mnt/in cat /mnt/in/file > /out
RUN --mount=type=bind,from=other,source=/made/file,target=/mnt/file cat /mnt/file >> /out
