# options: --target Second
FROM busybox AS first
RUN touch /first
FROM first AS second
RUN touch /second
CMD ["second"]
FROM second
RUN exit 1
